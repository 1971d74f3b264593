import { expect, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

test.each([
  ["timout", "timeout"],
  ["Timeout", "timeout"],
  ["heartbeatInterval", undefined],
  ["retires", "retries"],
  ["x", undefined],
])("the known name nearest to %s is %s", (name, nearest) => {
  expect(nearestName(name, ["timeout", "retries", "heartbeat"])).toBe(nearest);
});

test.each([
  ["itnch", "intch"],
  ["retyr", "retry"],
  ["heartbaet", "heartbeat"],
  ["yrter", undefined],
])("letters of %s that changed places count as one error: %s", (name, nearest) => {
  expect(nearestName(name, ["retry", "intch", "heartbeat"])).toBe(nearest);
});

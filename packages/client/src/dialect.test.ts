import { readText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { DIALECTS } from "./dialect.ts";

test.each(["mdp02", "mdp01"] as const)("D-PEER-4: %s sends a management service the bare name of a service", (name) => {
  const sent = (data: unknown, service: string) =>
    DIALECTS[name].encodeData(data, { service, codec: undefined, allowLoss: false }).map(readText);
  expect(sent("echo", "mmi.service")).toEqual(["echo"]);
  expect(sent(1, "mmi.service")).toEqual(["1"]);
  expect(sent("echo", "mmi")).toEqual(['"echo"']);
});

test("PIGATO sends a management service the name as JSON", () => {
  expect(
    DIALECTS.pigato.encodeData("echo", { service: "mmi.service", codec: undefined, allowLoss: false }).map(readText),
  ).toEqual(['"echo"']);
});

import { expect, test } from "vitest";
import type { ConnectionRejection } from "../link.ts";
import { AcceptFailures } from "./accept-failures.ts";

test("a failure to accept is reported once a second, with what to do", () => {
  let now = 5_000;
  const reports: ConnectionRejection[] = [];
  const failures = new AcceptFailures((rejection) => reports.push(rejection), { now: () => now });
  const error = Object.assign(new Error("Too many open file descriptors"), { code: "EMFILE", errno: 24, syscall: "" });
  const fail = (): void => failures.onEvent({ type: "accept:error", address: "tcp://0.0.0.0:5555", error });
  fail();
  fail();
  expect(reports).toEqual([
    {
      code: "OUT_OF_DESCRIPTORS",
      detail:
        "Too many open file descriptors: this process may open no more files: close some, or raise the limit (ulimit -n)",
      localAddress: "tcp://0.0.0.0:5555",
    },
  ]);
  now += 999;
  fail();
  expect(reports).toHaveLength(1);
  now += 1;
  fail();
  expect(reports).toHaveLength(2);
});

test("other events are no failures", () => {
  const failures = new AcceptFailures(() => expect.unreachable());
  failures.onEvent({ type: "accept", address: "tcp://0.0.0.0:5555" });
  failures.onEvent({ type: "end" });
});

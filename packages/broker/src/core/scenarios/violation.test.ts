import { requestId } from "@pigato/protocol";
import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("the broker disconnects a worker that breaks the protocol, and its requests count as lost", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.forget();
  sim.violation("w1", "worker", "P-REP-1");
  expect(sim.sentTo("w1")).toEqual(["disconnect"]);
  expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
  expect(sim.events).toEqual(["violation w1 P-REP-1", "worker-down w1 violation", "request-failed c1/r1 WORKER_LOST"]);
});

test("the broker disconnects an unregistered worker that sends an invalid message, such as READY without a service", () => {
  const sim = scenario();
  sim.violation("w1", "worker", "P-READY-1");
  expect(sim.sentTo("w1")).toEqual(["disconnect"]);
});

test("a client that breaks the protocol gets a failure for that request, if it has an id, and keeps the others", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.violation("c1", "client", "P-REQ-1", requestId("r2"));
  sim.violation("c1", "client", "P-RID-1");
  expect(sim.sentTo("c1")).toEqual(["failure r2 INVALID (not-sent)"]);
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toContain('final r1 "done"');
});

test("a violation under the id of an open request does not end that request", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.violation("c1", "client", "P-REQ-4", requestId("r1"));
  expect(sim.sentTo("c1")).toEqual([]);
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("the broker answers an unknown client that sends a broken request, and keeps no record of it", () => {
  const sim = scenario();
  sim.violation("c1", "client", "P-REQ-1", requestId("r1"));
  expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (not-sent)"]);
  expect(sim.stats().clients).toBe(0);
});

test("the broker reports frames without a role and does not answer them", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.forget();
  sim.violation("w1", undefined, "P-MSG-1");
  sim.violation("unknown", undefined, "P-MSG-1");
  expect([...sim.sentTo("w1"), ...sim.sentTo("unknown")]).toEqual([]);
  expect(sim.events).toEqual(["violation w1 P-MSG-1", "violation unknown P-MSG-1"]);
  expect(sim.stats().workers).toBe(1);
});

test("after a DISCONNECT the broker sends a worker only further DISCONNECTs until it registers again", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.violation("w1", "worker", "P-TYPE-1");
  sim.forget();
  sim.client("c1").requestHeartbeat("r1").cancel("r1").request("echo", "r2");
  sim.worker("w1").heartbeat(5);
  sim.worker("w1").final("r1");
  expect(sim.sentTo("w1")).toEqual(["disconnect", "disconnect"]);
  sim.worker("w1").ready("echo");
  expect(sim.sentTo("w1").slice(2)).toEqual(["ready [pigato/1 cancel heartbeat=1000]", "request r2 to echo"]);
});

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a request that did not reach its worker goes to another, with or without retry", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w2").ready("echo");
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.peerDown("w1");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("what reached a worker that is gone is told apart from what did not", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.undeliveredToWorker("w1", "r2", "unreachable");
  sim.undeliveredToWorker("w1", "r3", "unreachable");
  sim.peerDown("w1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r2", "r3"]);
});

test("a worker that cannot be reached gets nothing more, even before its loss is told", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.client("c1").request("echo", "r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  sim.peerDown("w1");
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r2"]);
});

test("a request for one worker only fails when it does not reach that one, and is known not to have run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.peerDown("w1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (queued)"]);
});

test("an undelivered request that expires before its worker's loss is told is known not to have run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 10 });
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.advance(10);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
});

test("a request that a worker's full connection refused goes to another worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("with no other worker it waits in its place until the one is heard again", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.undeliveredToWorker("w1", "r2", "congested");
  sim.undeliveredToWorker("w1", "r3", "congested");
  sim.client("c1").request("echo", "r4");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3"]);
  expect(sim.sentTo("c1")).toEqual([]);
  sim.worker("w1").final("r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3", "r2", "r3", "r4"]);
});

test("a request for one worker waits for that one's full connection", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.requestsSentTo("w2")).toEqual([]);
  sim.worker("w1").heartbeat();
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r1"]);
});

test("a request that never got through a full connection is known not to have run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 });
  sim.undeliveredToWorker("w1", "r1", "congested");
  sim.advance(100);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
});

test("a request that its worker does not hold, or nobody knows, cannot come back", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.requestUndelivered("w1", "~9.9", "congested");
  sim.requestUndelivered("unknown", "~0.1", "unreachable");
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("a request that ended before it came back undelivered stays ended", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1").cancel("r1");
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.stats()).toMatchObject({ canceled: 1, open: 0 });
});

test("a client that cannot be reached is gone, and its requests with it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.worker("w1").final("r1");
  sim.undeliveredToClient("c1", "unreachable");
  sim.peerDown("c1");
  expect(sim.events.filter((event) => event.startsWith("client-down"))).toEqual(["client-down c1 gone"]);
  expect(sim.sentTo("w1")).toContain("cancel r2");
});

test("a client too slow for a part loses that request, and is told", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.worker("w1").partial("r1");
  sim.undeliveredToClient("c1", "congested");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BUSY (maybe-executed)");
  expect(sim.sentTo("w1")).toContain("cancel r1");
  sim.worker("w1").final("r2");
  expect(sim.sentTo("c1").at(-1)).toBe('final r2 "done"');
});

test("a client too slow for a final reply is told that it lost it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").final("r1");
  sim.undeliveredToClient("c1", "congested");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BUSY (maybe-executed)");
});

test("a client too slow even for a failure is given up, with all it has open", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1").request("none", "r2", { failFast: true });
  sim.undeliveredToClient("c1", "congested");
  expect(sim.events.at(-1)).toBe("client-down c1 congested");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});

test("a heartbeat that a client is too slow for is only noted", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1").heartbeat();
  sim.undeliveredToClient("c1", "congested");
  expect(sim.events.at(-1)).toBe("dropped c1 undelivered");
  expect(sim.stats().open).toBe(1);
});

test("what comes back for a client that is gone changes nothing", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").partial("r1");
  sim.peerDown("c1");
  sim.undeliveredToClient("c1", "congested");
  expect(sim.stats()).toMatchObject({ canceled: 1, failed: 0, clients: 0 });
});

test("a worker that sends a part of a reply got the request, whatever its link said before", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.worker("w1").partial("r1", '"part"');
  sim.peerDown("w1");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 WORKER_LOST (maybe-executed)");
});

test("a worker that has spoken of a request keeps it when its link says that it did not get through", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.client("c1").offer().request("echo", "r1");
  sim.worker("w1").partial("r1", '"part"');
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.requestsSentTo("w2")).toEqual([]);
  sim.undeliveredToClient("c1", "congested");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BUSY (maybe-executed)");
});

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a request that did not reach its worker goes to another one, with or without retry", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w2").ready("echo");
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.peerDown("w1");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("the broker requeues only the requests that did not reach a lost worker", () => {
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

test("an unreachable worker gets no more requests, even before the broker learns of its loss", () => {
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

test("a request for one worker fails when it does not reach that worker, and its failure says that it did not run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.peerDown("w1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (queued)"]);
});

test("the failure of an undelivered request that expires says that it did not run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 10 });
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.advance(10);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
});

test("a request that a congested connection refused goes to another worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("without another worker a refused request keeps its place until its worker sends something", () => {
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

test("a request for one worker waits while the connection of that worker is congested", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.requestsSentTo("w2")).toEqual([]);
  sim.worker("w1").heartbeat();
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r1"]);
});

test("the failure of a request that a congested connection refused says that it did not run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 });
  sim.undeliveredToWorker("w1", "r1", "congested");
  sim.advance(100);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
});

test("the broker ignores an undelivered request that the worker does not hold or that is unknown", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.requestUndelivered("w1", "~9.9", "congested");
  sim.requestUndelivered("unknown", "~0.1", "unreachable");
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("the broker ignores an undelivered request that has ended", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1").cancel("r1");
  sim.undeliveredToWorker("w1", "r1", "congested");
  expect(sim.stats()).toMatchObject({ canceled: 1, open: 0 });
});

test("the broker cancels the requests of an unreachable client", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.worker("w1").final("r1");
  sim.undeliveredToClient("c1", "unreachable");
  sim.peerDown("c1");
  expect(sim.events.filter((event) => event.startsWith("client-down"))).toEqual(["client-down c1 gone"]);
  expect(sim.sentTo("w1")).toContain("cancel r2");
});

test("a client that reads too slowly for a partial gets a failure for that request", () => {
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

test("a client that reads too slowly for a final reply gets a failure instead", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").final("r1");
  sim.undeliveredToClient("c1", "congested");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BUSY (maybe-executed)");
});

test("the broker drops a client that reads too slowly even for a failure, with its requests", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1").request("none", "r2", { failFast: true });
  sim.undeliveredToClient("c1", "congested");
  expect(sim.events.at(-1)).toBe("client-down c1 congested");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});

test("the broker only reports a heartbeat that a client reads too slowly for", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1").heartbeat();
  sim.undeliveredToClient("c1", "congested");
  expect(sim.events.at(-1)).toBe("dropped c1 undelivered");
  expect(sim.stats().open).toBe(1);
});

test("the broker ignores an undelivered message to a client that is gone", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").partial("r1");
  sim.peerDown("c1");
  sim.undeliveredToClient("c1", "congested");
  expect(sim.stats()).toMatchObject({ canceled: 1, failed: 0, clients: 0 });
});

test("a partial proves that its worker got the request, even if the connection reported it as undelivered", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.undeliveredToWorker("w1", "r1", "unreachable");
  sim.worker("w1").partial("r1", '"part"');
  sim.peerDown("w1");
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 WORKER_LOST (maybe-executed)");
});

test("a worker that sent a partial keeps its request when the connection reports it as undelivered", () => {
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

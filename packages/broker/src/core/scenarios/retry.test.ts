import { describe, expect, test } from "vitest";
import { ALL } from "../testing/dialects.ts";
import { type Scenario, scenario } from "../testing/scenario.ts";

test("the broker requeues an in-flight request when its worker goes silent", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w2").ready("echo");
  sim.advance(3_000, { keepAlive: ["w2"] });
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
  expect(sim.events).toContain("request-requeued r1 from w1");
});

const LOSSES: [string, (sim: Scenario) => void][] = [
  ["leaves", (sim) => sim.worker("w1").disconnect()],
  ["is cut off", (sim) => sim.peerDown("w1")],
  ["breaks the protocol", (sim) => sim.violation("w1", "worker", "P-REP-1")],
  ["falls silent", (sim) => sim.advance(3_000, { keepAlive: ["w2"] })],
];

test.each(LOSSES)("when a worker %s, its requests with retry go to another worker, and the others fail", (_, lose) => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2");
  sim.worker("w2").ready("echo");
  lose(sim);
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
  expect(sim.sentTo("c1")).toEqual(["failure r2 WORKER_LOST (maybe-executed)"]);
  sim.worker("w2").final("r1", "again");
  expect(sim.sentTo("c1")).toContain('final r1 "again"');
});

test("requeued requests go to the head of the queue in order of arrival", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 3 });
  for (let id = 1; id <= 5; id++) sim.client("c1").request("echo", `r${id}`, { retry: true });
  sim.worker("w1").disconnect();
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r2", "r3", "r4", "r5"]);
});

test("the broker dispatches requests requeued from several workers in order of arrival", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 2 });
  sim.worker("w2").ready("echo", { concurrency: 2 });
  for (let id = 1; id <= 6; id++) sim.client("c1").request("echo", `r${id}`, { retry: true });
  sim.worker("w2").disconnect();
  sim.worker("w1").disconnect();
  sim.worker("w3").ready("echo");
  expect(sim.requestsSentTo("w3")).toEqual(["r1", "r2", "r3", "r4", "r5", "r6"]);
});

test("the oldest requeued request goes to the worker with a free slot", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2", { retry: true });
  sim.worker("w2").ready("echo", { concurrency: 1 });
  sim.worker("w1").disconnect();
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("the broker keeps a requeued request when another request of the same worker fails", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2").request("echo", "r3", { retry: true });
  sim.worker("w1").disconnect();
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r3"]);
});

describe("a request with retry that loses maxDispatches workers in turn", () => {
  test.each(LOSSES)("fails and reaches no other worker, when each worker %s", (_, lose) => {
    const sim = scenario({ maxDispatches: 1 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { retry: true });
    sim.worker("w2").ready("echo");
    lose(sim);
    expect(sim.requestsSentTo("w2")).toEqual([]);
    expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
    expect(sim.events).toContain("request-exhausted c1/r1 after 1, the last at w1");
  });

  test("is dispatched that many times, and its failure names the option", () => {
    const sim = scenario({ maxDispatches: 3 });
    sim.client("c1").offer().request("echo", "r1", { retry: true });
    for (const name of ["w1", "w2", "w3", "w4"]) {
      sim.worker(name).ready("echo");
      expect(sim.requestsSentTo(name)).toEqual(name === "w4" ? [] : ["r1"]);
      sim.peerDown(name);
    }
    const failure = sim.client("c1").received.at(-1);
    expect(failure).toMatchObject({
      failure: { code: "WORKER_LOST", message: expect.stringContaining("maxDispatches") },
    });
    expect(sim.stats()).toMatchObject({ open: 0, failed: 1 });
  });

  test("fails at the bound when it is stored, and leaves the store", () => {
    const sim = scenario({ maxDispatches: 2 });
    sim.client("c1").request("echo", "r1", { retry: true, persist: true });
    sim.storeFinishes();
    for (const name of ["w1", "w2"]) {
      sim.worker(name).ready("echo");
      sim.peerDown(name);
    }
    // The first loss, and the end.
    sim.storeFinishes();
    sim.storeFinishes();
    sim.worker("w3").ready("echo");
    expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
    expect(sim.requestsSentTo("w3")).toEqual([]);
    expect(sim.stored.size).toBe(0);
  });

  test("does not count a worker that certainly did not get the request", () => {
    const sim = scenario({ maxDispatches: 1 });
    sim.client("c1").request("echo", "r1", { retry: true });
    for (const name of ["w1", "w2", "w3"]) {
      sim.worker(name).ready("echo");
      sim.undeliveredToWorker(name, "r1", "unreachable");
      sim.peerDown(name);
    }
    expect(sim.stats()).toMatchObject({ open: 1, inFlight: 0 });
  });

  test("does not count a worker that returned the request, or that was lost after that", () => {
    const sim = scenario({ maxDispatches: 1 });
    sim.worker("w1").ready("echo", { concurrency: 1 });
    sim.client("c1").request("echo", "r1", { retry: true });
    sim.worker("w1").heartbeat(0).reject("r1");
    sim.peerDown("w1");
    sim.worker("w2").ready("echo").final("r1");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  });

  test("keeps its count in the next broker with the same store", () => {
    const first = scenario({ maxDispatches: 3 });
    first.worker("w1").ready("echo");
    first.client("c1").request("echo", "poison", { retry: true, persist: true });
    first.storeFinishes();
    first.peerDown("w1");
    expect([...first.stored.values()]).toMatchObject([{ version: 1, requestId: "poison", lostWorkers: 1 }]);
    // The store is slower than the next loss.
    first.worker("w2").ready("echo");
    first.peerDown("w2");
    first.storeFinishes();
    expect([...first.stored.values()]).toMatchObject([{ lostWorkers: 2 }]);
    first.storeFinishes();
    const second = scenario({ maxDispatches: 3 });
    for (const [key, request] of first.stored) {
      second.stored.set(key, request);
      second.restore(key, request);
    }
    second.worker("w3").ready("echo");
    expect(second.requestsSentTo("w3")).toEqual(["poison"]);
    second.peerDown("w3");
    expect(second.events).toContain("request-exhausted c1/poison after 3, the last at w3");
    const third = scenario({ maxDispatches: 2 });
    for (const [key, request] of first.stored) third.restore(key, request);
    expect(third.events).toContain("request-failed c1/poison WORKER_LOST");
  });

  test("continues if the store fails to note a loss, and is deleted when it ends before the store has noted it", () => {
    const sim = scenario({ maxDispatches: 3 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { retry: true, persist: true });
    sim.storeFinishes();
    sim.peerDown("w1");
    sim.storeFails();
    expect(sim.events).toContain("store-failed store 1");
    sim.worker("w2").ready("echo");
    sim.peerDown("w2");
    sim.worker("w3").ready("echo").final("r1");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
    sim.storeFinishes();
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
  });

  test("leaves the other requests of its last worker alone", () => {
    const sim = scenario({ maxDispatches: 2 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "poison", { retry: true });
    sim.peerDown("w1");
    sim.worker("w2").ready("echo");
    sim.client("c1").request("echo", "r2", { retry: true });
    sim.peerDown("w2");
    sim.worker("w3").ready("echo");
    expect(sim.requestsSentTo("w3")).toEqual(["r2"]);
  });
});

test.each(ALL)("a request that kills its $id workers kills maxDispatches of them, and the rest serve on", (dialect) => {
  const names = ["w1", "w2", "w3", "w4"];
  const sim = scenario({ maxDispatches: 3, settleMs: 0 });
  for (const name of names) sim.worker(name, dialect).ready("echo", "classic");
  sim.advance(1);
  sim.client("c1").request("echo", "poison", { retry: true });
  const holder = (): string | undefined => sim.held()[0]?.worker;
  for (let name = holder(); name !== undefined; name = holder()) sim.peerDown(name);
  expect(sim.stats()).toMatchObject({ workers: 1, open: 0, failed: 1 });
  expect(sim.events.filter((event) => event.startsWith("request-exhausted"))).toHaveLength(1);
});

test("a request whose reply has begun fails with WORKER_LOST instead of starting over", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w1").partial("r1").disconnect();
  expect(sim.sentTo("c1")).toEqual(['partial r1 "part"', "failure r1 WORKER_LOST (maybe-executed)"]);
});

test("the failure of a requeued request says that it may have run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { retry: true, timeoutMs: 500 });
  sim.worker("w1").disconnect();
  sim.advance(500);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
});

test("the broker drops a late reply of a lost worker, even while another worker holds the request", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w2").ready("echo");
  sim.violation("w1", "worker", "P-REP-1");
  sim.forget();
  sim.worker("w1").final("r1", "late");
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.sentTo("w1")).toEqual(["disconnect"]);
  sim.worker("w1").ready("echo").final("r1", "late");
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.events).toContain("dropped w1 not-held r1");
  sim.worker("w2").final("r1", "right");
  expect(sim.sentTo("c1")).toEqual(['final r1 "right"']);
});

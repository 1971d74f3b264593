import { writeText } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const KEPT = { persist: true };

/** A broker with the worker `w1`, whose client `c1` has asked for `r1` to be kept. */
function asked(): Scenario {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer();
  sim.client("c1").request("echo", "r1", KEPT);
  return sim;
}

describe("a request to be kept", () => {
  test("is stored before a worker gets it", () => {
    const sim = asked();
    expect(sim.requestsSentTo("w1")).toEqual([]);
    expect([...sim.stored.values()]).toMatchObject([{ version: 1, client: "c1", requestId: "r1", service: "echo" }]);
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("is told of as stored, to a client that asks", () => {
    const sim = scenario();
    sim.client("c1").offer({ notice: true });
    sim.client("c1").request("echo", "r1", { ...KEPT, notices: true });
    sim.forget();
    sim.storeFinishes();
    expect(sim.sentTo("c1")).toEqual(["notice r1 stored", "notice r1 queued"]);
  });

  test("is deleted when it is answered", () => {
    const sim = asked();
    sim.storeFinishes();
    sim.worker("w1").final("r1");
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    expect(sim.sentTo("c1")).toContain('final r1 "done"');
  });

  test("is not taken if the store fails, and its client may ask again", () => {
    const sim = asked();
    sim.storeFails();
    expect(sim.sentTo("c1")).toContain("failure r1 UNAVAILABLE (not-sent)");
    expect(sim.events).toContain("store-failed store 1");
    // What failed may have been stored none the less.
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    sim.client("c1").request("echo", "r1", KEPT);
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("that ends while it is being stored is deleted only when it is stored", () => {
    const sim = asked();
    sim.client("c1").cancel("r1");
    expect(sim.stored.size).toBe(1);
    sim.storeFinishes();
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    expect(sim.requestsSentTo("w1")).toEqual([]);
  });

  test("expires in time, however slow the store is", () => {
    const sim = scenario();
    sim
      .client("c1")
      .offer()
      .request("echo", "r1", { ...KEPT, timeoutMs: 500 });
    sim.advance(500);
    expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
  });

  test("takes its place in the order when it is stored", () => {
    const sim = scenario();
    sim.client("c1").request("echo", "r1", KEPT).request("echo", "r2");
    sim.storeFinishes();
    sim.worker("w1").ready("echo", { concurrency: 1 });
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
    sim.worker("w1").final("r2");
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r1"]);
  });

  test("fails if the worker that it names is gone when it is stored", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { ...KEPT, worker: "w1" });
    sim.worker("w1").disconnect();
    sim.storeFinishes();
    expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (queued)"]);
  });

  test("counts as waiting, and is refused while the store has not finished with too many", () => {
    const sim = scenario({ maxRequests: 2, maxQueuedPerService: 1 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", KEPT).request("echo", "r2", KEPT);
    expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
    sim.client("c1").cancel("r1").request("echo", "r3", KEPT);
    sim.client("c1").cancel("r3").request("echo", "r4", KEPT);
    expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)", "failure r4 BUSY (not-sent)"]);
  });

  test("runs on when its client is gone, and others of that client are not run", () => {
    const sim = asked();
    sim.client("c1").request("echo", "r2");
    sim.peerDown("c1");
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r1"]);
    expect(sim.sentTo("w1")).toContain("cancel r2");
  });

  test("has its client come back, also when the broker knows its most clients", () => {
    const sim = scenario({ maxClients: 1 });
    sim.client("c1").request("echo", "r1", KEPT);
    sim.storeFinishes();
    sim.peerDown("c1");
    sim.client("c2").heartbeat();
    sim.forget();
    sim.client("c1").request("echo", "r1", KEPT);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.events).toEqual(["client-up c1", "dropped c1 duplicate-id r1"]);
  });

  test("stays stored when the broker stops, and its client is told that it may be run", () => {
    const sim = scenario();
    sim.client("c1").offer().request("echo", "r1", KEPT);
    sim.storeFinishes();
    sim.forget();
    sim.drain(1_000);
    expect(sim.sentTo("c1")).toEqual(["failure r1 CLOSED (maybe-executed)"]);
    expect(sim.isDrained).toBe(true);
    sim.storeFinishes();
    expect(sim.stored.size).toBe(1);
  });

  test("needs no store if the cache has its answer", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { body: "what?" });
    sim.worker("w1").final("r1", "this", 0, 1_000);
    sim.client("c1").request("echo", "r2", { ...KEPT, body: "what?" });
    expect(sim.stored.size).toBe(0);
  });
});

describe("a broker that starts with a store", () => {
  function restored(): Scenario {
    const before = asked();
    const sim = scenario();
    for (const [key, request] of before.stored) sim.restore(key, request);
    return sim;
  }

  test("runs what was open, as soon as there is a worker", () => {
    const sim = restored();
    expect(sim.events).toEqual(["request-restored c1/r1"]);
    sim.worker("w1").ready("echo");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.worker("w1").receivedAs("r1").message.body).toEqual([writeText("c1/r1")]);
  });

  test("answers its client if that has its old id, and runs nothing twice that it sends again", () => {
    const sim = restored();
    sim.client("c1").request("echo", "r1", KEPT);
    sim.worker("w1").ready("echo");
    sim.worker("w1").final("r1");
    sim.advance(100);
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  });

  test("cannot say that such a request never ran", () => {
    const sim = restored();
    sim.client("c1").offer();
    sim.advance(60_000, { keepAlive: ["c1"] });
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
  });

  test("uses no key of the store again", () => {
    const sim = restored();
    sim.client("c2").request("echo", "r1", KEPT);
    expect([...sim.stored.keys()]).toEqual(["0000000000000002"]);
  });

  test("has what names a worker fail, because there is none yet", () => {
    const before = scenario();
    before.worker("w1").ready("echo");
    before.client("c1").request("echo", "r1", { ...KEPT, worker: "w1" });
    const sim = scenario();
    for (const [key, request] of before.stored) sim.restore(key, request);
    sim.client("c1").offer();
    sim.advance(100);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 UNAVAILABLE (maybe-executed)");
    expect(sim.stats().open).toBe(0);
  });
});

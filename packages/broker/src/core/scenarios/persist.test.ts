import { writeText } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const PERSISTENT = { persist: true };

/** A broker with the worker `w1`, and the persistent request `r1` of `c1`. */
function requested(): Scenario {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer();
  sim.client("c1").request("echo", "r1", PERSISTENT);
  return sim;
}

describe("a persistent request", () => {
  test("the broker stores it before a worker gets it", () => {
    const sim = requested();
    expect(sim.requestsSentTo("w1")).toEqual([]);
    expect([...sim.stored.values()]).toMatchObject([{ version: 1, client: "c1", requestId: "r1", service: "echo" }]);
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("the broker notifies a client that requests notices when it is stored", () => {
    const sim = scenario();
    sim.client("c1").offer({ notice: true });
    sim.client("c1").request("echo", "r1", { ...PERSISTENT, notices: true });
    sim.forget();
    sim.storeFinishes();
    expect(sim.sentTo("c1")).toEqual(["notice r1 stored", "notice r1 queued"]);
  });

  test("the broker deletes it when its client has the reply", () => {
    const sim = requested();
    sim.storeFinishes();
    sim.worker("w1").final("r1");
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    expect(sim.sentTo("c1")).toContain('final r1 "done"');
  });

  test("the broker refuses it if the store fails, and its client may repeat it", () => {
    const sim = requested();
    sim.storeFails();
    expect(sim.sentTo("c1")).toContain("failure r1 UNAVAILABLE (not-sent)");
    expect(sim.events).toContain("store-failed store 1");
    // The store may have the request although it reported a failure.
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    sim.client("c1").request("echo", "r1", PERSISTENT);
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("if it ends before it is stored, the broker deletes it after that", () => {
    const sim = requested();
    sim.client("c1").cancel("r1");
    expect(sim.stored.size).toBe(1);
    sim.storeFinishes();
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
    expect(sim.requestsSentTo("w1")).toEqual([]);
  });

  test("it expires in time, however slow the store is", () => {
    const sim = scenario();
    sim
      .client("c1")
      .offer()
      .request("echo", "r1", { ...PERSISTENT, timeoutMs: 500 });
    sim.advance(500);
    expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
  });

  test("it takes its place in the queue when it is stored", () => {
    const sim = scenario();
    sim.client("c1").request("echo", "r1", PERSISTENT).request("echo", "r2");
    sim.storeFinishes();
    sim.worker("w1").ready("echo", { concurrency: 1 });
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
    sim.worker("w1").final("r2");
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r1"]);
  });

  test("it fails if the worker that it names is gone when it is stored", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { ...PERSISTENT, worker: "w1" });
    sim.worker("w1").disconnect();
    sim.storeFinishes();
    expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (queued)"]);
  });

  test("it counts as waiting, and the broker refuses it while too many calls of the store are pending", () => {
    const sim = scenario({ maxStoredRequests: 2, maxQueuedPerService: 1 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", PERSISTENT).request("echo", "r2", PERSISTENT);
    expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
    sim.client("c1").cancel("r1").request("echo", "r3", PERSISTENT);
    sim.client("c1").cancel("r3").request("echo", "r4", PERSISTENT);
    expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)", "failure r4 BUSY (not-sent)"]);
  });

  test("it runs although its client is gone, and the other requests of the client are canceled", () => {
    const sim = requested();
    sim.client("c1").request("echo", "r2");
    sim.peerDown("c1");
    sim.storeFinishes();
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r1"]);
    expect(sim.sentTo("w1")).toContain("cancel r2");
  });

  test("its client may reconnect even at maxClients", () => {
    const sim = scenario({ maxClients: 1 });
    sim.client("c1").request("echo", "r1", PERSISTENT);
    sim.storeFinishes();
    sim.peerDown("c1");
    sim.client("c2").heartbeat();
    sim.forget();
    sim.client("c1").request("echo", "r1", PERSISTENT);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.events).toEqual(["client-up c1", "dropped c1 duplicate-id r1"]);
  });

  test("it stays in the store when the broker stops, and its client gets CLOSED with maybe-executed", () => {
    const sim = scenario();
    sim.client("c1").offer().request("echo", "r1", PERSISTENT);
    sim.storeFinishes();
    sim.forget();
    sim.drain(1_000);
    expect(sim.sentTo("c1")).toEqual(["failure r1 CLOSED (maybe-executed)"]);
    expect(sim.isDrained).toBe(true);
    sim.storeFinishes();
    expect(sim.stored.size).toBe(1);
  });

  test("the broker does not store it if the cache has its reply", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { body: "what?" });
    sim.worker("w1").final("r1", "this", 0, 1_000);
    sim.client("c1").request("echo", "r2", { ...PERSISTENT, body: "what?" });
    expect(sim.stored.size).toBe(0);
  });
});

describe("a broker that starts with a store", () => {
  function restored(): Scenario {
    const before = requested();
    const sim = scenario();
    for (const [key, request] of before.stored) sim.restore(key, request);
    return sim;
  }

  test("it dispatches the stored requests as soon as there is a worker", () => {
    const sim = restored();
    expect(sim.events).toEqual(["request-restored c1/r1"]);
    sim.worker("w1").ready("echo");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.worker("w1").receivedAs("r1").message.body).toEqual([new Uint8Array(writeText("c1/r1"))]);
  });

  test("it answers a client that reconnects under its id, and does not run a repeated request again", () => {
    const sim = restored();
    sim.client("c1").request("echo", "r1", PERSISTENT);
    sim.worker("w1").ready("echo");
    sim.worker("w1").final("r1");
    sim.advance(100);
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  });

  test("it fails a stored request with maybe-executed", () => {
    const sim = restored();
    sim.client("c1").offer();
    sim.advance(60_000, { keepAlive: ["c1"] });
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
  });

  test("it never reuses a key of the store", () => {
    const sim = restored();
    sim.client("c2").request("echo", "r1", PERSISTENT);
    expect([...sim.stored.keys()]).toEqual(["0000000000000002"]);
  });

  test("it fails a stored request that names a worker, because there is none yet", () => {
    const before = scenario();
    before.worker("w1").ready("echo");
    before.client("c1").request("echo", "r1", { ...PERSISTENT, worker: "w1" });
    const sim = scenario();
    for (const [key, request] of before.stored) sim.restore(key, request);
    sim.client("c1").offer();
    sim.advance(100);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 UNAVAILABLE (maybe-executed)");
    expect(sim.stats().open).toBe(0);
  });
});

import { writeText } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { StoredRequest } from "../stored-request.ts";
import { scenario } from "../testing/scenario.ts";

/** What a request with an id of two bytes counts as besides its body: its record, its id and the objects of one frame. */
const COST = 512 + 2 + 128;
/** What the name `echo` counts as, for its first request while no worker offers it. */
const NAME_COST = 640 + 4;

test("at maxRequests the broker refuses a new request until an open one ends", () => {
  const sim = scenario({ maxRequests: 2 });
  sim.client("c1").request("echo", "r1");
  sim.client("c2").request("echo", "r2").request("echo", "r3");
  expect(sim.sentTo("c2")).toEqual(["failure r3 BUSY (not-sent)"]);
  sim.client("c1").cancel("r1");
  sim.client("c2").request("echo", "r4");
  expect(sim.stats()).toMatchObject({ accepted: 3, open: 2 });
});

test("at maxRequestsPerClient the broker refuses requests of that client only", () => {
  const sim = scenario({ maxRequestsPerClient: 1 });
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.client("c2").request("echo", "r1");
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
  expect(sim.sentTo("c2")).toEqual([]);
});

test("at maxQueuedPerService the broker refuses only requests that would have to wait", () => {
  const sim = scenario({ maxQueuedPerService: 1 });
  sim.client("c1").request("echo", "r1").request("echo", "r2").request("sum", "r3");
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
  sim.worker("w1").ready("echo", { concurrency: 2 });
  sim.client("c1").request("echo", "r4").request("echo", "r5");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r4"]);
  expect(sim.stats().open).toBe(4);
});

test("requests for one worker and rejected requests count as waiting", () => {
  const sim = scenario({ maxQueuedPerService: 2 });
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.client("c1").request("echo", "r2", { worker: "w1" });
  sim.worker("w1").reject("r1");
  sim.client("c1").request("echo", "r3").request("echo", "r4");
  expect(sim.sentTo("c1")).toEqual(["failure r4 BUSY (not-sent)"]);
});

test("the broker accepts a request for a worker with a free slot, however many other requests wait", () => {
  const sim = scenario({ maxQueuedPerService: 1 });
  sim.worker("w1").ready("echo", { concurrency: 0 });
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" }).request("echo", "r2", { worker: "w1" });
  sim.client("c1").request("echo", "r3", { worker: "w2" });
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
  expect(sim.requestsSentTo("w2")).toEqual(["r3"]);
});

test("with maxQueuedPerService 0 the broker dispatches a request at once or refuses it", () => {
  const sim = scenario({ maxQueuedPerService: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r2").request("echo", "r3");
  expect(sim.sentTo("c1")).toEqual(["failure r1 BUSY (not-sent)", "failure r3 BUSY (not-sent)"]);
});

test("a requeued request may wait above the bound, because it was accepted", () => {
  const sim = scenario({ maxQueuedPerService: 1 });
  sim.worker("w1").ready("echo", { concurrency: 2 });
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id, { retry: true });
  sim.worker("w1").disconnect();
  sim.client("c1").request("echo", "r4");
  expect(sim.sentTo("c1")).toEqual(["failure r4 BUSY (not-sent)"]);
  expect(sim.stats().open).toBe(3);
});

test("the first request for a name counts as the name, too", () => {
  const sim = scenario({ maxRequestBytes: 4 * (COST + NAME_COST), isChecked: false });
  for (let id = 0; id < 5; id++) sim.client("c1").request(`ech${id}`, `r${id}`);
  expect(sim.stats().open).toBe(4);
  const served = scenario({ maxRequestBytes: 4 * COST, isChecked: false });
  served.worker("w1").ready("echo", { concurrency: 1 });
  for (let id = 0; id < 5; id++) served.client("c1").request("echo", `r${id}`);
  expect(served.stats().open).toBe(4);
});

test("a request counts as its record, its id and its frames", () => {
  for (const [size, open] of [
    [999, 2],
    [1_000, 1],
  ] as const) {
    const sim = scenario({ maxRequestBytes: NAME_COST + COST + 1_000 });
    sim
      .client("c1")
      .request("echo", "r1", { body: "x".repeat(size) })
      .request("echo", "r2");
    expect(sim.stats().open).toBe(open);
  }
});

test("at maxRequestBytes the broker refuses a new request until enough requests have ended", () => {
  const sim = scenario({ maxRequestBytes: 10 });
  sim.client("c1").request("echo", "r1", { body: "1234567890" }).request("echo", "r2", { body: "" });
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
  sim.client("c1").cancel("r1").request("echo", "r3");
  expect(sim.stats().open).toBe(1);
});

test("at maxWorkers the broker disconnects a new worker until another one leaves", () => {
  const sim = scenario({ maxWorkers: 1 });
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  expect(sim.sentTo("w2")).toEqual(["disconnect"]);
  expect(sim.events).toContain("dropped w2 too-many-workers");
  sim.worker("w1").disconnect();
  sim.worker("w2").ready("echo");
  expect(sim.sentTo("w2").at(-1)).toContain("ready");
});

test("at maxClients the broker refuses the requests of a new client and keeps no record of it", () => {
  const sim = scenario({ maxClients: 1 });
  sim.client("c1").request("echo", "r1");
  sim.client("c2").heartbeat().request("echo", "r1").cancel("r1").disconnect();
  expect(sim.sentTo("c2")).toEqual(["failure r1 BUSY (not-sent)"]);
  sim.client("c1").disconnect();
  sim.client("c2").request("echo", "r1");
  expect(sim.stats()).toMatchObject({ clients: 1, open: 1 });
});

test("refused requests leave no entries in the tables", () => {
  const sim = scenario({ maxQueuedPerService: 0, maxRequests: 1 });
  for (let id = 0; id < 100; id++) sim.client("c1").request(`service ${id}`, `r${id}`, { failFast: id % 2 === 0 });
  expect(sim.stats()).toMatchObject({ accepted: 0, open: 0, services: 0 });
});

test("at maxRequestBytesPerClient the broker refuses requests of that client only", () => {
  const sim = scenario({ maxRequestBytesPerClient: 10 });
  sim.client("c1").request("echo", "r1", { body: "1234567890" }).request("echo", "r2");
  sim.client("c2").request("echo", "r1");
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
  expect(sim.sentTo("c2")).toEqual([]);
  sim.client("c1").cancel("r1").request("echo", "r3");
  expect(sim.stats().open).toBe(2);
});

test("a timeout over maxTimeoutMs, or none, counts as maxTimeoutMs", () => {
  const sim = scenario({ maxTimeoutMs: 500 });
  const client = sim.client("c1").offer();
  client.request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY }).request("echo", "r2", { timeoutMs: 400 });
  sim.advance(400);
  sim.advance(100);
  expect(sim.sentTo("c1").slice(1)).toEqual([
    "failure r2 DEADLINE_EXCEEDED (queued)",
    "failure r1 DEADLINE_EXCEEDED (queued)",
  ]);
  expect(client.received.at(-1)).toMatchObject({ failure: { message: expect.stringContaining("500 ms") } });
});

describe("when a few clients have taken all they can get, another client is served", () => {
  test.each([
    ["open requests", { maxRequests: 10_000 }, { body: "x" }],
    ["bytes of open requests", { maxRequestBytes: 10_000 * COST }, { body: "x" }],
    ["queued requests of a service", { maxQueuedPerService: 10_000 }, { body: "x" }],
    ["stored requests", { maxStoredRequests: 10_000 }, { persist: true }],
    ["bytes of stored requests", { maxStoredBytes: 10_000 * COST }, { persist: true, body: "x" }],
  ] as const)("within the bound of %s", (_, bound, fields) => {
    const sim = scenario({ ...bound, isChecked: false });
    for (let client = 0; client < 20; client++) {
      const greedy = sim.client(`greedy${client}`);
      for (let id = 0; greedy.received.length === 0; id++) greedy.request("echo", `r${id}`, fields);
    }
    for (let id = 0; id < 5; id++) sim.client("modest").request("echo", `r${id}`, fields);
    expect(sim.sentTo("modest")).toEqual([]);
    expect(sim.stats().open).toBeLessThan(11_250);
    sim.assertConsistent();
  });

  test.each([1, 2, 7, 8, 100, 1_000])("and a client alone gets a bound of %i, no more and no less", (maxRequests) => {
    const sim = scenario({ maxRequests, isChecked: false });
    for (let id = 0; id < 1_200; id++) sim.client("c1").request("echo", `r${id}`);
    expect(sim.stats().open).toBe(maxRequests);
  });
});

describe("stored requests", () => {
  const PERSIST = { persist: true, timeoutMs: Number.POSITIVE_INFINITY } as const;

  test("take no room from other requests, also when their clients have left", () => {
    const sim = scenario({
      maxRequests: 2,
      maxRequestBytes: NAME_COST + 2 * COST,
      maxStoredRequests: 1_000,
      isChecked: false,
    });
    for (let id = 0; id < 100; id++) sim.client("c1").request("nothing", `r${id}`, PERSIST);
    sim.client("c1").disconnect();
    sim.client("c2").request("echo", "r1").request("echo", "r2").request("echo", "r3");
    expect(sim.sentTo("c2")).toEqual(["failure r3 BUSY (not-sent)"]);
    expect(sim.stats().open).toBe(102);
  });

  test("beyond maxStoredRequests are refused, and other requests are not", () => {
    const sim = scenario({ maxStoredRequests: 2 });
    sim.client("c1").request("echo", "r1", PERSIST).request("echo", "r2", PERSIST).request("echo", "r3", PERSIST);
    sim.client("c1").request("echo", "r4");
    expect(sim.sentTo("c1")).toEqual(["failure r3 BUSY (not-sent)"]);
    expect(sim.stats().open).toBe(3);
  });

  test("of one client beyond maxStoredRequestsPerClient or maxStoredBytesPerClient are refused", () => {
    for (const bound of [{ maxStoredRequestsPerClient: 1 }, { maxStoredBytesPerClient: 5 }]) {
      const sim = scenario(bound);
      sim.client("c1").request("echo", "r1", PERSIST).request("echo", "r2", PERSIST).request("echo", "r3");
      sim.client("c2").request("echo", "r1", PERSIST);
      expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
      expect(sim.sentTo("c2")).toEqual([]);
    }
  });

  test("count until the store has deleted them", () => {
    const sim = scenario({ maxStoredRequests: 1 });
    sim.client("c1").request("echo", "r1", PERSIST);
    sim.storeFinishes();
    sim.client("c1").cancel("r1").request("echo", "r2", PERSIST);
    expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
    sim.storeFinishes();
    sim.client("c1").request("echo", "r3", PERSIST);
    expect(sim.stats().open).toBe(1);
  });

  test("that a restarted broker finds count for their clients, and take no room from other requests", () => {
    const sim = scenario({ maxRequests: 3, maxStoredRequests: 10, maxStoredRequestsPerClient: 5 });
    for (let key = 1; key <= 5; key++) sim.restore(String(key), aStored("c1", `r${key}`));
    sim.client("c1").request("echo", "r6", PERSIST);
    sim.client("c2").request("echo", "r1", PERSIST).request("echo", "r2");
    expect(sim.sentTo("c1")).toEqual(["failure r6 BUSY (not-sent)"]);
    expect(sim.sentTo("c2")).toEqual([]);
  });

  test("expire after maxStoredMs, whatever their timeout, and leave the store", () => {
    const sim = scenario({ maxStoredMs: 1_000 });
    sim.client("c1").offer().request("echo", "r1", PERSIST);
    sim.storeFinishes();
    sim.worker("w1").ready("echo");
    sim.advance(600, { keepAlive: ["w1", "c1"] });
    sim.worker("w1").partial("r1");
    sim.advance(400, { keepAlive: ["w1", "c1"] });
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
    expect(sim.client("c1").received.at(-1)).toMatchObject({
      failure: { message: expect.stringContaining("maxStoredMs") },
    });
    sim.storeFinishes();
    expect(sim.stored.size).toBe(0);
  });

  test("keep their age over a restart: one that is too old never runs again", () => {
    const sim = scenario({ maxStoredMs: 1_000 });
    sim.worker("w1").ready("echo");
    sim.restore("1", aStored("c1", "old"), 1_000);
    sim.restore("2", aStored("c1", "young"), 400);
    expect(sim.requestsSentTo("w1")).toEqual(["young"]);
    sim.advance(599, { keepAlive: ["w1"] });
    expect(sim.stats()).toMatchObject({ open: 1 });
    sim.advance(1);
    expect(sim.stats()).toMatchObject({ open: 0 });
  });
});

function aStored(client: string, requestId: string): StoredRequest {
  const content = { body: [writeText(requestId)], trailer: [], timeoutMs: null, retry: false, worker: null };
  return { version: 1, client, requestId, service: "echo", ...content };
}

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

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

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a request that names its worker goes to that worker", () => {
  const sim = scenario();
  for (const name of ["w1", "w2", "w3"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w2" }).request("echo", "r2", { worker: "w2" });
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r2"]);
});

test("a request for an unknown worker, or one of another service, fails with UNAVAILABLE at once", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("sum");
  sim.client("c1").request("echo", "r1", { worker: "w9" }).request("echo", "r2", { worker: "w2" });
  expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (not-sent)", "failure r2 UNAVAILABLE (not-sent)"]);
  expect(sim.sentTo("w2")).toHaveLength(1);
  expect(sim.stats()).toMatchObject({ accepted: 0, open: 0, services: 2 });
});

test("a request for a busy worker waits for it and blocks no other request", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.worker("w2").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.client("c1").request("echo", "r2", { worker: "w1" }).request("echo", "r3").request("echo", "r4");
  expect(sim.requestsSentTo("w2")).toEqual(["r3"]);
  sim.worker("w2").final("r3");
  expect(sim.requestsSentTo("w2")).toEqual(["r3", "r4"]);
  sim.worker("w1").final("r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
});

test("a worker gets the requests that name it and the others in order of arrival", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r0");
  sim.client("c1").request("echo", "r1").request("echo", "r2", { worker: "w1" }).request("echo", "r3");
  for (const id of ["r0", "r1", "r2"]) sim.worker("w1").final(id);
  expect(sim.requestsSentTo("w1")).toEqual(["r0", "r1", "r2", "r3"]);
});

test("a request that waits for one worker fails when that worker leaves", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.worker("w2").ready("echo");
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id, { worker: "w1", retry: true });
  sim.worker("w1").disconnect();
  expect(sim.sentTo("c1")).toEqual([
    "failure r1 WORKER_LOST (maybe-executed)",
    "failure r2 UNAVAILABLE (queued)",
    "failure r3 UNAVAILABLE (queued)",
  ]);
  expect(sim.requestsSentTo("w2")).toEqual([]);
});

test("a request that its only worker rejects fails", () => {
  const sim = scenario();
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.worker("w1").reject("r1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
  expect(sim.requestsSentTo("w2")).toEqual([]);
});

test("a request may wait for a worker whose concurrency is not known yet", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  expect(sim.requestsSentTo("w1")).toEqual([]);
  sim.worker("w1").heartbeat(1);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

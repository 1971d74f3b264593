import { expect, test } from "vitest";
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

test("the broker retries a request as often as its workers are lost", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { retry: true });
  for (const name of ["w1", "w2", "w3"]) {
    sim.worker(name).ready("echo");
    expect(sim.requestsSentTo(name)).toEqual(["r1"]);
    sim.peerDown(name);
  }
  expect(sim.stats()).toMatchObject({ open: 1, inFlight: 0 });
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

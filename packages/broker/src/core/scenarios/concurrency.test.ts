import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

const IDS = ["r1", "r2", "r3", "r4", "r5"] as const;

test("a worker never has more than its concurrency in flight", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 2 });
  for (const id of IDS) sim.client("c1").request("echo", id);
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  sim.worker("w1").final("r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3"]);
});

test("a worker with a concurrency of Infinity gets every request", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: Number.POSITIVE_INFINITY });
  for (let id = 0; id < 500; id++) sim.client("c1").request("echo", `r${id}`);
  expect(sim.stats().inFlight).toBe(500);
});

test("a worker with a concurrency of 0 gets no request until it raises it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  expect(sim.requestsSentTo("w1")).toEqual([]);
  sim.worker("w1").heartbeat(1);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

test("P-HB-9: the broker marks its answer to a worker that drains, and to no worker that did not negotiate it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { drain: true });
  sim.worker("w2").ready("echo");
  const answer = (name: string, concurrency: number): string[] => {
    sim.forget();
    sim.worker(name).heartbeat(concurrency);
    return sim.sentTo(name);
  };
  expect(answer("w1", 0)).toEqual(["heartbeat: drained"]);
  expect(answer("w1", 5)).toEqual(["heartbeat"]);
  expect(answer("w2", 0)).toEqual(["heartbeat"]);
});

test("a heartbeat that raises the concurrency fills the new slots at once", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  for (const id of IDS) sim.client("c1").request("echo", id);
  sim.worker("w1").heartbeat(4);
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3", "r4"]);
});

test("a heartbeat that lowers the concurrency requeues nothing and stops dispatch until a slot is free", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 3 });
  for (const id of IDS) sim.client("c1").request("echo", id);
  sim.worker("w1").heartbeat(1).final("r1").final("r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3"]);
  sim.worker("w1").final("r3");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3", "r4"]);
});

test("a worker whose concurrency was lowered is skipped for one with a free slot", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 2 }).heartbeat(0);
  sim.worker("w2").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("a heartbeat without a concurrency leaves it unchanged", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 }).heartbeat();
  for (const id of IDS) sim.client("c1").request("echo", id);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

const NOTICE = { notice: true, heartbeatMs: 60_000 };
const WORKER = { heartbeatMs: 60_000, concurrency: 1 };

test("a client that asks for notices hears that its request is queued, and which worker gets it", () => {
  const sim = scenario();
  sim.client("c1").offer(NOTICE).request("echo", "r1", { notices: true });
  sim.worker("w1").ready("echo", WORKER);
  expect(sim.sentTo("c1").slice(1)).toEqual(["notice r1 queued", "notice r1 dispatched w1"]);
});

test("a request that a worker takes at once has no notice of being queued", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", WORKER);
  sim.client("c1").offer(NOTICE).request("echo", "r1", { notices: true });
  expect(sim.sentTo("c1").slice(1)).toEqual(["notice r1 dispatched w1"]);
});

test("every turn that a request takes is told: declined, lost with its worker, given to another", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", WORKER);
  sim.worker("w2").ready("echo", WORKER);
  sim.client("c1").offer(NOTICE).request("echo", "r1", { notices: true, retry: true });
  sim.worker("w1").reject("r1").disconnect();
  sim.worker("w2").disconnect();
  sim.worker("w3").ready("echo", WORKER).final("r1");
  expect(sim.sentTo("c1").slice(1)).toEqual([
    "notice r1 dispatched w1",
    "notice r1 dispatched w2",
    "notice r1 queued",
    "notice r1 dispatched w3",
    'final r1 "done"',
  ]);
});

test("nobody else is told: not for a request that did not ask, and no client that did not negotiate it", () => {
  const sim = scenario();
  sim.client("c1").offer(NOTICE).request("echo", "r1");
  sim.client("c2").offer().request("echo", "r2", { notices: true });
  sim.client("c3").request("echo", "r3", { notices: true });
  sim.worker("w1").ready("echo", { ...WORKER, concurrency: 3 });
  for (const name of ["c1", "c2", "c3"]) {
    expect(sim.sentTo(name).filter((line) => line.startsWith("notice"))).toEqual([]);
  }
});

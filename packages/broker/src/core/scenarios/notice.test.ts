import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

const NOTICE = { notice: true, heartbeatMs: 60_000 };
const WORKER = { heartbeatMs: 60_000, concurrency: 1 };

test("the broker notifies a client that requests notices when its request is queued and which worker gets it", () => {
  const sim = scenario();
  sim.client("c1").offer(NOTICE).request("echo", "r1", { notices: true });
  sim.worker("w1").ready("echo", WORKER);
  expect(sim.sentTo("c1").slice(1)).toEqual(["notice r1 queued", "notice r1 dispatched w1"]);
});

test("the broker sends no queued notice for a request that it dispatches at once", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", WORKER);
  sim.client("c1").offer(NOTICE).request("echo", "r1", { notices: true });
  expect(sim.sentTo("c1").slice(1)).toEqual(["notice r1 dispatched w1"]);
});

test("the broker notifies the client of each step: rejected, requeued after a loss, dispatched again", () => {
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

test("the broker sends no notices for other requests, or to a client that did not negotiate them", () => {
  const sim = scenario();
  sim.client("c1").offer(NOTICE).request("echo", "r1");
  sim.client("c2").offer().request("echo", "r2", { notices: true });
  sim.client("c3").request("echo", "r3", { notices: true });
  sim.worker("w1").ready("echo", { ...WORKER, concurrency: 3 });
  for (const name of ["c1", "c2", "c3"]) {
    expect(sim.sentTo(name).filter((line) => line.startsWith("notice"))).toEqual([]);
  }
});

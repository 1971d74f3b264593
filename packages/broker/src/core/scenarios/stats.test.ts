// What the statistics count. That accepted = answered + failed + canceled + expired + open holds is checked after every step of every
// scenario (testing/observer.ts).

import { requestId } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const NONE = { answered: 0, failed: 0, canceled: 0, expired: 0, refused: 0, open: 0 };

const ENDS: [string, (sim: Scenario) => void, object][] = [
  ["is answered", (sim) => sim.worker("w1").final("r1"), { answered: 1, finished: 1 }],
  [
    "ends with an error of its handler",
    (sim) => sim.worker("w1").final("r1", "oops", -1),
    { failed: 1, finished: 0, failures: { WORKER_FAILED: 1 } },
  ],
  ["is canceled", (sim) => sim.client("c1").cancel("r1"), { canceled: 1 }],
  ["loses its client", (sim) => sim.peerDown("c1"), { canceled: 1 }],
  ["expires", (sim) => sim.advance(1_000, { keepAlive: ["w1"] }), { expired: 1, failures: { DEADLINE_EXCEEDED: 0 } }],
  ["loses its worker", (sim) => sim.peerDown("w1"), { failed: 1, failures: { WORKER_LOST: 1 } }],
  ["is rejected", (sim) => sim.worker("w1").reject("r1"), { failed: 1, failures: { REJECTED: 1 } }],
  ["is open when the broker stops", (sim) => stop(sim), { failed: 1, failures: { CLOSED: 1 } }],
];

test.each(ENDS)("a request that %s counts as that and nothing else", (_, end, counts) => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 1_000 });
  end(sim);
  expect(sim.stats()).toMatchObject({ ...NONE, accepted: 1, ...counts });
});

test.each(ENDS.slice(0, 2))("so does a persistent request that %s", (_, end, counts) => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { persist: true });
  sim.storeFinishes();
  end(sim);
  expect(sim.stats()).toMatchObject({ ...NONE, accepted: 1, ...counts });
});

test("a persistent request whose reply is dropped does not count as answered", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { persist: true, timeoutMs: 1_000 }).request("echo", "r2", { persist: true });
  sim.storeFinishes();
  sim.storeFinishes();
  sim.peerDown("c1");
  sim.worker("w1").final("r1");
  sim.advance(1_000, { keepAlive: ["w1"] });
  expect(sim.stats()).toMatchObject({ ...NONE, accepted: 2, expired: 1, open: 1 });
});

test("a request that is answered from the cache counts as answered and as cached", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { body: "same" });
  sim.worker("w1").final("r1", "done", 0, 1_000);
  sim.client("c1").request("echo", "r2", { body: "same" });
  expect(sim.stats()).toMatchObject({ ...NONE, accepted: 2, answered: 2, cached: 1 });
});

test("the broker counts what it refuses by code, and none of it as accepted", () => {
  const sim = scenario({ maxRequests: 1 });
  const client = sim.client("c1");
  client.request("nothing", "r1", { failFast: true }).request("echo", "r2", { worker: "unknown" });
  client.request("echo", "r3").request("echo", "r4");
  sim.violation("c1", "client", "P-REQ-1", requestId("r5"));
  stop(sim);
  client.request("echo", "r6");
  expect(sim.stats()).toMatchObject({ accepted: 1, failed: 1, refused: 5 });
  expect(sim.stats().refusals).toMatchObject({ UNAVAILABLE: 2, BUSY: 1, INVALID: 1, CLOSED: 1 });
});

test("the statistics are a copy", () => {
  const sim = scenario();
  const before = sim.stats();
  sim.client("c1").request("nothing", "r1", { failFast: true });
  expect([before.refusals.UNAVAILABLE, sim.stats().refusals.UNAVAILABLE]).toEqual([0, 1]);
});

function stop(sim: Scenario): void {
  sim.drain(100);
  sim.advance(100, { keepAlive: ["w1"] });
}

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a broker with nothing to do is drained at once, and its workers are sent home", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.forget();
  sim.drain(5_000);
  expect(sim.isDrained).toBe(true);
  expect([sim.sentTo("w1"), sim.sentTo("w2")]).toEqual([["disconnect"], ["disconnect"]]);
  expect(sim.events).toEqual(["worker-down w1 drained", "worker-down w2 drained"]);
});

test("running and waiting requests are finished first, new ones are refused", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.drain(5_000);
  sim.client("c1").request("echo", "r3");
  expect(sim.sentTo("c1")).toEqual(["failure r3 CLOSED (not-sent)"]);
  sim.worker("w1").final("r1");
  expect(sim.isDrained).toBe(false);
  sim.worker("w1").final("r2");
  expect(sim.isDrained).toBe(true);
  expect(sim.sentTo("w1").at(-1)).toBe("disconnect");
});

test("what no worker is there for fails at once, whichever queue it waits in", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1").request("sum", "r2");
  sim.worker("w1").reject("r1").disconnect();
  sim.worker("w2").disconnect();
  sim.drain(5_000);
  expect(sim.sentTo("c1")).toEqual(["failure r1 CLOSED (dispatched)", "failure r2 CLOSED (queued)"]);
  expect(sim.isDrained).toBe(true);
});

test("what lost its last worker while the broker drains fails at once: none will come", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2");
  sim.drain(5_000);
  sim.worker("w1").disconnect();
  expect(sim.sentTo("c1")).toEqual(["failure r1 CLOSED (maybe-executed)", "failure r2 CLOSED (queued)"]);
  expect(sim.isDrained).toBe(true);
});

test("a retry still finds another worker while the broker drains", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w2").ready("echo");
  sim.drain(5_000);
  sim.worker("w1").disconnect();
  sim.worker("w2").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("what is open at the limit fails, and none of what waits is started by it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1, heartbeatMs: 60_000 });
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.drain(5_000);
  sim.advance(5_000);
  expect(sim.isDrained).toBe(true);
  expect(sim.sentTo("c1")).toEqual([
    "failure r2 CLOSED (queued)",
    "failure r3 CLOSED (queued)",
    "failure r1 CLOSED (maybe-executed)",
  ]);
  expect(sim.sentTo("w1").slice(1)).toEqual(["request r1 to echo", "cancel r1", "disconnect"]);
});

test("no worker is registered while the broker drains", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.drain(5_000);
  sim.worker("w2").ready("echo");
  expect(sim.sentTo("w2")).toEqual(["disconnect"]);
  expect(sim.stats().workers).toBe(1);
});

test("a request that its client gives up, or that expires, is no longer waited for", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").request("echo", "r1", { timeoutMs: 100 }).request("echo", "r2");
  sim.drain(5_000);
  sim.client("c1").cancel("r2");
  sim.advance(99);
  expect(sim.isDrained).toBe(false);
  sim.advance(1);
  expect(sim.isDrained).toBe(true);
});

test("a second drain changes nothing", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.drain(5_000);
  sim.drain(0);
  sim.advance(1_000, { keepAlive: ["w1"] });
  expect(sim.isDrained).toBe(false);
  sim.worker("w1").final("r1");
  sim.drain(0);
  expect(sim.isDrained).toBe(true);
});

test("a limit of nothing fails what is open at the next tick", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.drain(0);
  sim.advance(0);
  expect(sim.isDrained).toBe(true);
});

import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a broker without open requests drains at once and disconnects its workers", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.forget();
  sim.drain(5_000);
  expect(sim.isDrained).toBe(true);
  expect([sim.sentTo("w1"), sim.sentTo("w2")]).toEqual([["disconnect"], ["disconnect"]]);
  expect(sim.events).toEqual(["worker-down w1 drained", "worker-down w2 drained"]);
});

test("a draining broker finishes running and waiting requests and refuses new ones", () => {
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

test("a draining broker fails requests without a worker at once, in whichever queue they wait", () => {
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

test("a draining broker fails requests at once when their last worker is lost", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2");
  sim.drain(5_000);
  sim.worker("w1").disconnect();
  expect(sim.sentTo("c1")).toEqual(["failure r1 CLOSED (maybe-executed)", "failure r2 CLOSED (queued)"]);
  expect(sim.isDrained).toBe(true);
});

test("a draining broker requeues a request with retry to another worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w2").ready("echo");
  sim.drain(5_000);
  sim.worker("w1").disconnect();
  sim.worker("w2").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("a draining broker fails open requests at the limit and dispatches none of the waiting ones", () => {
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

test("a draining broker registers no worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.drain(5_000);
  sim.worker("w2").ready("echo");
  expect(sim.sentTo("w2")).toEqual(["disconnect"]);
  expect(sim.stats().workers).toBe(1);
});

test("a draining broker does not wait for a request that is canceled or expires", () => {
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

test("a drain limit of 0 fails open requests at the next tick", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.drain(0);
  sim.advance(0);
  expect(sim.isDrained).toBe(true);
});

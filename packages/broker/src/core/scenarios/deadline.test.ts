import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a client that negotiated errors gets the failure in the millisecond in which its request expires", () => {
  const sim = scenario();
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 });
  sim.forget();
  sim.advance(99);
  expect(sim.sentTo("c1")).toEqual([]);
  sim.advance(1);
  expect(sim.sentTo("c1")).toEqual(["failure r1 DEADLINE_EXCEEDED (queued)"]);
});

test("the failure of an expired request says what was missing", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  const c1 = sim.client("c1").offer();
  for (const id of ["r1", "r2"]) c1.request("echo", id, { timeoutMs: 100 });
  c1.request("ehco", "r3", { timeoutMs: 100 }).request("echo", "r4", { timeoutMs: 100, persist: true });
  sim.advance(100);
  const messages = c1.received.flatMap((message) => (message.type === "failure" ? message.failure.message : []));
  expect(messages.sort()).toEqual([
    'request r1 to "echo" exceeded its 100 ms timeout: its worker did not reply',
    'request r2 to "echo" exceeded its 100 ms timeout: no worker was free',
    'request r3 to "ehco" exceeded its 100 ms timeout: its service has no worker',
    'request r4 to "echo" exceeded its 100 ms timeout: the store did not confirm it',
  ]);
});

test("a classic client gets no failure for an expired request, because a late failure would crash it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { timeoutMs: 100 });
  sim.advance(100);
  sim.worker("w1").final("r1", "late");
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.events).toContain("request-failed c1/r1 DEADLINE_EXCEEDED");
  expect(sim.events).toContain("dropped w1 not-held r1");
});

test("a worker whose request expires gets the next one", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 }).request("echo", "r2");
  sim.advance(100);
  expect(sim.sentTo("w1").slice(1)).toEqual(["request r1 to echo", "cancel r1", "request r2 to echo"]);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
});

test("a worker that did not negotiate cancel gets none, and its slot is free nevertheless", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic").heartbeat(1);
  sim.client("c1").request("echo", "r1", { timeoutMs: 100 }).request("echo", "r2");
  sim.advance(100);
  expect(sim.sentTo("w1")).toEqual(["ready", "heartbeat", "request r1 to echo", "request r2 to echo"]);
});

test("an expired request at the head of a queue blocks no request behind it", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { timeoutMs: 50 }).request("echo", "r2").request("echo", "r3");
  sim.advance(50);
  sim.worker("w1").ready("echo");
  expect(sim.requestsSentTo("w1")).toEqual(["r2", "r3"]);
});

test("the broker does not dispatch an expired request, whichever input comes first after its deadline", () => {
  const sim = scenario({ isChecked: false });
  sim.client("c1").request("echo", "r1", { timeoutMs: 50 }).request("echo", "r2");
  sim.stall(50);
  sim.worker("w1").ready("echo");
  expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
});

test("the broker dispatches none of the requests that expire together in the slot of another", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1, heartbeatMs: 60_000 });
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id, { timeoutMs: 500 });
  sim.client("c1").request("echo", "r4", { timeoutMs: 501 });
  sim.stall(500);
  sim.advance(0);
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r4"]);
});

test("the broker does not requeue a request that expires when its worker falls silent", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 3_000, retry: true });
  sim.worker("w2").ready("echo");
  sim.advance(3_000, { keepAlive: ["w2"] });
  expect(sim.requestsSentTo("w2")).toEqual([]);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
});

test("every partial restarts the timeout", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 });
  for (const part of ["a", "b", "c"]) {
    sim.advance(99);
    sim.worker("w1").partial("r1", part);
  }
  sim.advance(99);
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1").slice(1)).toEqual(['partial r1 "a"', 'partial r1 "b"', 'partial r1 "c"', 'final r1 "done"']);
});

test("a heartbeat for a request does not restart its timeout", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 100 });
  sim.advance(60);
  sim.worker("w1").requestHeartbeat("r1");
  sim.client("c1").requestHeartbeat("r1");
  sim.advance(40);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
});

test("a request without a timeout waits forever", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
  sim.advance(30 * 24 * 3_600_000);
  expect(sim.stats()).toMatchObject({ open: 1, clients: 1 });
});

test("a request with no time at all expires at once and is never dispatched", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 0 });
  expect(sim.requestsSentTo("w1")).toEqual([]);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (queued)");
  expect(sim.stats()).toMatchObject({ accepted: 1, expired: 1, services: 1 });
});

test("requests of very different timeouts expire each at its own time", () => {
  const sim = scenario();
  sim.client("c1").offer();
  for (const ms of [700, 300, 500, 100]) sim.client("c1").request("echo", `r${ms}`, { timeoutMs: ms });
  const failures: string[] = [];
  for (let at = 0; at < 700; at += 100) {
    sim.forget();
    sim.advance(100);
    failures.push(...sim.sentTo("c1").map((line) => `${at + 100}: ${line.split(" ")[1]}`));
  }
  expect(failures).toEqual(["100: r100", "300: r300", "500: r500", "700: r700"]);
});

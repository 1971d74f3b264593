import { describe, expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

const FOREVER = Number.POSITIVE_INFINITY;

test("the broker sends a silent worker a heartbeat per interval, then DISCONNECT, then nothing", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", {});
  sim.advance(2_999);
  expect(sim.sentTo("w1").slice(1)).toEqual(["heartbeat", "heartbeat"]);
  sim.advance(100_000);
  expect(sim.sentTo("w1").slice(1)).toEqual(["heartbeat", "heartbeat", "disconnect"]);
  expect(sim.events).toContain("worker-down w1 silent");
});

test("the broker disconnects a worker three intervals after its last message, at most a part of an interval later", () => {
  for (const lastMessageMs of [1, 137, 499, 500, 999]) {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", { heartbeatMs: 1_000 });
    sim.advance(lastMessageMs);
    sim.worker("w1").heartbeat();
    sim.advance(2_999);
    expect(sim.stats().workers).toBe(1);
    sim.advance(70);
    expect(sim.stats().workers).toBe(0);
  }
});

test("the broker answers every heartbeat of a worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.forget();
  sim.worker("w1").heartbeat().heartbeat();
  expect(sim.sentTo("w1")).toEqual(["heartbeat", "heartbeat"]);
});

test("any message of a worker is a sign of life", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 2 });
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
  for (let turn = 0; turn < 10; turn++) {
    sim.advance(1_900);
    sim.worker("w1").partial("r1");
  }
  expect(sim.stats().workers).toBe(1);
});

test("a heartbeat for one of its requests keeps a worker alive, and the broker does not answer it", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 2 });
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
  sim.advance(1_900);
  sim.forget();
  sim.worker("w1").requestHeartbeat("r1");
  expect(sim.sentTo("w1")).toEqual([]);
  sim.advance(1_900);
  expect(sim.stats().workers).toBe(1);
});

test("a process may send heartbeats for its worker from another socket, and the broker does not answer them", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo");
  for (let turn = 0; turn < 5; turn++) {
    sim.advance(2_500);
    sim.client("other").heartbeatFor("w1").heartbeatFor("unknown");
  }
  expect(sim.stats()).toMatchObject({ workers: 1, clients: 0 });
  expect(sim.sentTo("other")).toEqual([]);
});

// The broker's interval is far shorter than the worker's, then far longer: neither makes it lose the worker.
test.each([
  { brokerMs: 500, workerMs: 20_000 },
  { brokerMs: 20_000, workerMs: 500 },
])("a worker that announced $workerMs ms stays with a broker of $brokerMs ms", ({ brokerMs, workerMs }) => {
  const sim = scenario({ heartbeatMs: brokerMs, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", { heartbeatMs: workerMs });
  for (let turn = 0; turn < 20; turn++) {
    sim.advance(workerMs);
    sim.forget();
    sim.worker("w1").heartbeat();
    expect(sim.sentTo("w1")).toEqual(["heartbeat"]);
  }
  expect(sim.stats().workers).toBe(1);
});

test("a classic worker of the default interval stays with a broker of a much shorter one", () => {
  const sim = scenario({ heartbeatMs: 200, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", "classic").heartbeat(1);
  for (let turn = 0; turn < 20; turn++) {
    sim.advance(2_500);
    sim.worker("w1").heartbeat(1);
  }
  expect(sim.stats().workers).toBe(1);
});

test("the broker judges a classic worker by the pauses between its heartbeats", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", "classic").heartbeat();
  sim.advance(7_000);
  sim.worker("w1").heartbeat();
  sim.advance(20_999);
  expect(sim.stats().workers).toBe(1);
  sim.advance(500);
  expect(sim.stats().workers).toBe(0);
});

test("the broker drops no peer after one very late tick, because it was suspended itself", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo");
  sim.client("c1").offer({ heartbeatMs: 1_000 });
  sim.stall(600_000);
  sim.advance(0);
  expect(sim.stats()).toMatchObject({ workers: 1, clients: 1 });
  sim.worker("w1").heartbeat();
  sim.client("c1").heartbeat();
  sim.advance(2_900);
  expect(sim.stats()).toMatchObject({ workers: 1, clients: 1 });
});

test("the broker answers each heartbeat of a client and sends no others", () => {
  const sim = scenario();
  sim.client("c1").heartbeat();
  sim.advance(30_000);
  expect(sim.sentTo("c1")).toEqual(["heartbeat"]);
});

test("the broker answers an offer of a client with the shared capabilities", () => {
  const sim = scenario({ heartbeatMs: 2_500 });
  sim.client("c1").offer({ notice: true, duplex: true });
  expect(sim.sentTo("c1")).toEqual(["heartbeat [pigato/1 cancel error notice heartbeat=2500]"]);
});

test("the broker drops a client that announced heartbeats and falls silent, with its requests", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer({ heartbeatMs: 1_000 }).request("echo", "r1");
  sim.advance(2_999);
  expect(sim.stats()).toMatchObject({ clients: 1, open: 1 });
  sim.advance(1);
  expect(sim.events).toContain("client-down c1 silent");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});

test("the broker drops a classic client that sent heartbeats and falls silent, with its requests", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").heartbeat().request("echo", "r1", { timeoutMs: FOREVER });
  sim.advance(2_500);
  sim.client("c1").heartbeat();
  sim.advance(7_499);
  expect(sim.stats()).toMatchObject({ clients: 1, open: 1 });
  sim.advance(1);
  expect(sim.events).toContain("client-down c1 silent");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});

test("the broker judges a classic client by its longest pause, and never by less than its own interval", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.client("c1").heartbeat().request("echo", "r1", { timeoutMs: FOREVER });
  for (const pauseMs of [10, 2_900, 8_000, 20_000, 10]) {
    sim.advance(pauseMs);
    sim.client("c1").heartbeat();
  }
  sim.advance(59_999);
  expect(sim.stats()).toMatchObject({ clients: 1, open: 1 });
  sim.advance(5_000);
  expect(sim.stats()).toMatchObject({ clients: 0, open: 0 });
});

test("a single heartbeat shows no interval, and a heartbeat for a request does not either", () => {
  const sim = scenario();
  sim.client("c1").heartbeat().request("echo", "r1", { timeoutMs: FOREVER }).requestHeartbeat("r1");
  sim.client("c2").request("echo", "r1", { timeoutMs: FOREVER });
  for (let turn = 0; turn < 3; turn++) {
    sim.advance(1_000);
    sim.client("c2").requestHeartbeat("r1");
  }
  sim.advance(3_600_000);
  expect(sim.stats()).toMatchObject({ clients: 2, open: 2 });
});

test("a client that offers without an interval keeps its capabilities while it sends something now and then", () => {
  const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
  sim.client("c1").offer();
  sim.advance(179_000);
  sim.client("c1").request("echo", "r1", { timeoutMs: 1_000 });
  sim.advance(1_000);
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (queued)");
  sim.advance(184_000);
  expect(sim.stats().clients).toBe(0);
});

test("a client that announced no heartbeats keeps its requests, however silent it is", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
  sim.advance(3_600_000);
  sim.worker("w1").ready("echo").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("the broker forgets a client that announced no heartbeats and has no open requests", () => {
  const sim = scenario();
  sim.client("c1").heartbeat();
  sim.advance(60_000);
  expect(sim.events).toEqual(["client-up c1", "client-down c1 idle"]);
  expect(sim.nextDeadline()).toBeUndefined();
});

test("the broker forwards a client's heartbeat for its request to the worker, and answers it", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic").heartbeat(1);
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.forget();
  sim.client("c1").requestHeartbeat("r1").requestHeartbeat("r2").requestHeartbeat("unknown");
  expect(sim.sentTo("w1")).toEqual(["request-heartbeat r1"]);
  expect(sim.sentTo("c1")).toEqual(["heartbeat", "heartbeat", "heartbeat"]);
  expect(sim.events).toEqual(["dropped c1 not-open unknown"]);
});

describe("a heartbeat for a request of a client that negotiated such heartbeats", () => {
  const NEGOTIATED = { requestHeartbeat: true, heartbeatMs: 60_000 };

  test("the worker that holds the request answers it", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo", NEGOTIATED);
    sim.client("c1").offer(NEGOTIATED).request("echo", "r1");
    sim.forget();
    sim.client("c1").requestHeartbeat("r1");
    expect(sim.sentTo("w1")).toEqual(["request-heartbeat r1"]);
    expect(sim.sentTo("c1")).toEqual([]);
    sim.worker("w1").requestHeartbeat("r1");
    expect(sim.sentTo("c1")).toEqual(["request-heartbeat r1"]);
  });

  test("the broker answers it while the request waits, or if the worker cannot answer", () => {
    const sim = scenario();
    sim.client("c1").offer(NEGOTIATED).request("echo", "r1");
    sim.forget();
    sim.client("c1").requestHeartbeat("r1");
    sim.worker("w1").ready("echo", "classic").heartbeat(1);
    sim.client("c1").requestHeartbeat("r1");
    expect(sim.sentTo("c1")).toEqual(["request-heartbeat r1", "request-heartbeat r1"]);
    expect(sim.sentTo("w1")).toContain("request-heartbeat r1");
  });

  test("the broker answers with BROKER_LOST if it does not know the request", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.client("c1").offer({ requestHeartbeat: true, heartbeatMs: 1_000 }).request("echo", "r1");
    sim.advance(3_000);
    expect(sim.stats()).toMatchObject({ clients: 0, open: 0 });
    sim.forget();
    sim.client("c1").offer({ requestHeartbeat: true, heartbeatMs: 1_000 }).requestHeartbeat("r1");
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BROKER_LOST (maybe-executed)");
  });
});

test("the broker forwards a worker's heartbeat for a request to its client and does not restart the timeout", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer({ requestHeartbeat: true, heartbeatMs: 60_000 }).request("echo", "r1", { timeoutMs: 1_000 });
  sim.client("c2").offer({ heartbeatMs: 60_000 }).request("echo", "r2", { timeoutMs: 1_000 });
  sim.advance(900);
  sim.forget();
  sim.worker("w1").requestHeartbeat("r1").requestHeartbeat("r2");
  expect(sim.sentTo("c1")).toEqual(["request-heartbeat r1"]);
  expect(sim.sentTo("c2")).toEqual([]);
  sim.advance(100);
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
});

test("the broker has no timers for peers that are gone", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic");
  sim.client("c1").offer({ heartbeatMs: 1_000 }).request("echo", "r1");
  sim.peerDown("w1");
  sim.peerDown("c1");
  sim.advance(200_000);
  expect(sim.nextDeadline()).toBeUndefined();
});

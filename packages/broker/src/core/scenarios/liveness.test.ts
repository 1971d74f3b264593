import { peerId, pigato, serviceName } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { mdp02 } from "../testing/dialects.ts";
import { type Scenario, scenario } from "../testing/scenario.ts";

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

describe("heartbeats for a worker from another socket (P-HB-5)", () => {
  test("keep a worker of the classic wire alive, and the broker does not answer them", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", "classic");
    for (let turn = 0; turn < 5; turn++) {
      sim.advance(2_500);
      sim.client("other").heartbeatFor("w1").heartbeatFor("unknown");
    }
    expect(sim.stats()).toMatchObject({ workers: 1, clients: 0 });
    expect(sim.sentTo("other")).toEqual([]);
    expect(sim.events).toEqual(["worker-up w1 echo"]);
  });

  test("keep a worker alive that has announced that it handles one request at a time", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", "classic").heartbeat(1);
    vouch(sim, "other", "w1");
    expect(sim.stats().workers).toBe(1);
  });

  test.each<[string, (sim: Scenario) => void]>([
    ["negotiated", (sim) => sim.worker("w1").ready("echo", { cancel: false })],
    ["handles several requests at a time", (sim) => sim.worker("w1").ready("echo", "classic").heartbeat(100)],
    ["speaks Majordomo", (sim) => sim.worker("w1", mdp02).ready("echo", "classic")],
  ])("do not count for a worker that %s: it sends its own", (_, register) => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    register(sim);
    vouch(sim, "unknown", "w1");
    expect(sim.events).toContain("dropped unknown foreign-worker");
    expect(sim.events).toContain("worker-down w1 silent");
  });

  test("do not count from an unknown peer once the process of the worker has sent one", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", "classic");
    sim.client("own").heartbeatFor("w1");
    vouch(sim, "unknown", "w1");
    expect(sim.events).toContain("worker-down w1 silent");
  });

  test("do not count from an unknown peer that appears later than a new worker may be silent", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", "classic").heartbeat(1);
    sim.advance(3_000, { keepAlive: ["w1"] });
    vouch(sim, "unknown", "w1");
    expect(sim.events).toContain("worker-down w1 silent");
  });

  test("do not count from another host", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    const ready = { type: "ready", service: serviceName("echo"), offer: undefined } as const;
    const [worker, unknown] = [peerId("w1"), peerId("unknown")];
    sim.step({ type: "from-worker", from: worker, message: ready, dialect: pigato.id, host: "tcp://10.0.0.1" });
    for (let turn = 0; turn < 10; turn++) {
      sim.advance(500);
      const message = { type: "worker-heartbeat", worker } as const;
      sim.step({ type: "from-client", from: unknown, message, dialect: pigato.id, host: "tcp://10.0.0.2" });
    }
    expect(sim.events).toContain("worker-down w1 silent");
  });
});

/** Sends heartbeats for a worker for longer than a worker may be silent. */
function vouch(sim: Scenario, from: string, worker: string): void {
  for (let turn = 0; turn < 20; turn++) {
    sim.client(from).heartbeatFor(worker);
    sim.advance(500);
  }
}

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
  expect(sim.sentTo("c1")).toEqual(["heartbeat [pigato/1 cancel error notice duplex heartbeat=2500]"]);
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

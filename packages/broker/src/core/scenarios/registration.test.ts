import { requestId } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a worker that sends an offer gets the shared capabilities before any other message", () => {
  const sim = scenario({ heartbeatMs: 2_500 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").ready("echo", { cancel: true, credit: true, codecs: ["json"], duplex: true });
  expect(sim.sentTo("w1")).toEqual(["ready [pigato/1 cancel credit duplex heartbeat=2500]", "request r1 to echo"]);
  expect(sim.events).toContain("worker-up w1 echo");
});

test("the broker answers a classic worker with a READY without capabilities", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic");
  expect(sim.sentTo("w1")).toEqual(["ready"]);
});

test("a second READY changes nothing and gets no answer", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.forget();
  sim.worker("w1").ready("other", { concurrency: 1 });
  sim.client("c1").request("echo", "r1").request("other", "r2").request("echo", "r3");
  expect(sim.sentTo("w1")).toEqual(["request r1 to echo", "request r3 to echo"]);
  expect(sim.events).toContain("dropped w1 already-registered");
});

test("a classic worker gets the backlog only after the heartbeat that announces its concurrency", () => {
  const sim = scenario();
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.worker("w1").ready("echo", "classic");
  expect(sim.sentTo("w1")).toEqual(["ready"]);
  sim.worker("w1").heartbeat(1);
  expect(sim.sentTo("w1")).toEqual(["ready", "request r1 to echo", "heartbeat"]);
});

test("a worker that announces no concurrency gets up to 100 requests after settleMs", () => {
  const sim = scenario({ settleMs: 100 });
  sim.worker("w1").ready("echo", "classic");
  for (let id = 0; id < 150; id++) sim.client("c1").request("echo", `r${id}`);
  sim.advance(99);
  expect(sim.requestsSentTo("w1")).toEqual([]);
  sim.advance(1);
  expect(sim.requestsSentTo("w1")).toHaveLength(100);
});

test("a heartbeat without a concurrency ends the wait as well", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", "classic").heartbeat();
  sim.client("c1").request("echo", "r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

test("the broker answers any message but READY from an unregistered worker with DISCONNECT", () => {
  const sim = scenario();
  sim.worker("w1").heartbeat();
  sim.worker("w1").sends({ type: "credit", address: "~1", requestId: requestId("r1"), chunks: 1 });
  expect(sim.sentTo("w1")).toEqual(["disconnect", "disconnect"]);
});

describe("P-DISC-6: the broker states why it refuses to register a worker that offers errors", () => {
  const refusal = (offer: "classic" | { readonly error: boolean }): string[] => {
    const sim = scenario({ maxWorkers: 1 });
    sim.worker("w1").ready("mmi.echo", offer);
    sim.worker("w1").ready("echo", offer);
    sim.worker("w2").ready("echo", offer);
    sim.worker("w1").disconnect();
    sim.client("c1").request("echo", "r1");
    sim.drain(5_000);
    sim.worker("w3").ready("echo", offer);
    return [...sim.sentTo("w1"), ...sim.sentTo("w2"), ...sim.sentTo("w3")];
  };

  test("and registers it under another name, or when it can", () => {
    expect(refusal({ error: true })).toEqual([
      'disconnect INVALID: the broker itself serves "mmi.echo": choose another name',
      "ready [pigato/1 cancel error heartbeat=1000]",
      "disconnect BUSY: workers offer 1 services, the most that maxWorkers allows",
      "disconnect CLOSED: the broker is stopping",
    ]);
  });

  test.each(["classic", { error: false }] as const)("and no other one: %o", (offer) => {
    expect(refusal(offer).filter((line) => line.startsWith("disconnect"))).toEqual([
      "disconnect",
      "disconnect",
      "disconnect",
    ]);
  });
});

test("P-DISC-6: the broker states why it disconnects a worker that negotiated errors", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { error: true });
  sim.worker("w2").ready("echo", { error: true });
  sim.worker("w3").ready("echo");
  sim.advance(10_000);
  expect(sim.sentTo("w1").at(-1)).toBe("disconnect WORKER_LOST: it was silent for too long");
  expect(sim.sentTo("w3").at(-1)).toBe("disconnect");
});

test("the broker never answers a DISCONNECT, whether the worker is registered or not", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo").disconnect();
  sim.worker("w1").disconnect();
  expect(sim.sentTo("w1")).toEqual(["ready [pigato/1 cancel heartbeat=1000]"]);
  expect(sim.events).toEqual(["worker-up w1 echo", "worker-down w1 left"]);
});

test("a worker that left may register again, for another service", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo").disconnect().ready("sum");
  sim.client("c1").request("echo", "r1").request("sum", "r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
});

test("a service may be named __proto__ or constructor", () => {
  const sim = scenario();
  for (const name of ["__proto__", "constructor", "toString", "\u00ff\u0000"]) {
    sim.client(name).request(name, "r1");
    sim.worker(`worker of ${name}`).ready(name);
    expect(sim.requestsSentTo(`worker of ${name}`)).toEqual(["r1"]);
  }
});

test("the broker forgets a service with its last worker and its last request", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").ready("echo");
  expect(sim.stats()).toMatchObject({ services: 1, workers: 1, clients: 1 });
  sim.worker("w1").final("r1").disconnect();
  expect(sim.stats()).toMatchObject({ services: 0, workers: 0, clients: 1 });
});

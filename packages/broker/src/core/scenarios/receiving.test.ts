import { describe, expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const FOREVER = Number.POSITIVE_INFINITY;

describe("a message that is not whole yet", () => {
  /** Bytes of it come every 100 ms. */
  function receive(sim: Scenario, name: string, ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      sim.advance(100);
      sim.receiving(name);
    }
  }

  test("is a sign of life of its worker, which runs its requests once", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { retry: true, timeoutMs: FOREVER });
    sim.worker("w2").ready("echo");
    sim.advance(500);
    for (let turn = 0; turn < 8; turn++) {
      receive(sim, "w1", 1_000);
      sim.worker("w2").heartbeat();
    }
    sim.worker("w1").final("r1");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
    expect(sim.requestsSentTo("w2")).toEqual([]);
    sim.advance(2_999, { keepAlive: ["w2"] });
    expect(sim.stats().workers).toBe(2);
    sim.advance(70, { keepAlive: ["w2"] });
    expect(sim.events).toContain("worker-down w1 silent");
  });

  test("is a sign of life of its client, which keeps its requests", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.client("c1").offer({ heartbeatMs: 1_000 }).request("echo", "r1", { timeoutMs: FOREVER });
    receive(sim, "c1", 20_000);
    expect(sim.stats()).toMatchObject({ clients: 1, open: 1 });
    sim.advance(3_070);
    expect(sim.events).toContain("client-down c1 silent");
  });

  test("proves nothing about how its worker reads, and nothing about a peer that the broker does not know", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
    sim.undeliveredToWorker("w1", "r1", "congested");
    sim.forget();
    sim.receiving("w1");
    sim.receiving("unknown");
    expect(sim.sentTo("w1")).toEqual([]);
    expect(sim.events).toEqual([]);
  });

  test("has its sender get a heartbeat for each interval without a message (P-LIVE-6)", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.worker("w1").ready("echo", { heartbeatMs: 1_000 });
    sim.client("c1").offer({ heartbeatMs: 1_000 });
    sim.client("classic").heartbeat();
    sim.forget();
    for (let passed = 0; passed < 5_000; passed += 100) {
      sim.advance(100);
      for (const name of ["w1", "c1", "classic"]) sim.receiving(name);
    }
    const heartbeats = ["heartbeat", "heartbeat", "heartbeat", "heartbeat", "heartbeat"];
    for (const name of ["w1", "c1", "classic"]) expect(sim.sentTo(name)).toEqual(heartbeats);
    sim.forget();
    sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
    sim.advance(900);
    sim.receiving("c1");
    expect(sim.sentTo("c1")).toEqual([]);
  });

  test("has no heartbeat sent to a client that never sent one", () => {
    const sim = scenario({ heartbeatMs: 1_000, heartbeatLiveness: 3 });
    sim.client("c1").request("echo", "r1", { timeoutMs: FOREVER });
    receive(sim, "c1", 5_000);
    expect(sim.sentTo("c1")).toEqual([]);
  });

  test("has a peer of a shorter interval than the broker's get heartbeats at its own", () => {
    const sim = scenario({ heartbeatMs: 10_000, heartbeatLiveness: 3 });
    sim.client("c1").offer({ heartbeatMs: 500 });
    sim.worker("w1").ready("echo", "classic").heartbeat(1);
    sim.advance(400);
    sim.worker("w1").heartbeat(1);
    sim.forget();
    receive(sim, "c1", 2_000);
    expect(sim.sentTo("c1")).toHaveLength(4);
    receive(sim, "w1", 2_000);
    expect(sim.sentTo("w1").length).toBeGreaterThanOrEqual(4);
  });
});

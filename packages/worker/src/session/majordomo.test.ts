// A worker's session with a Majordomo broker, which answers neither READY nor heartbeats.

import { describe, expect, test } from "vitest";
import { SessionScenario } from "../testing/session-scenario.ts";

/** A connected worker of Majordomo. */
function connected(): SessionScenario {
  const scenario = majordomo();
  scenario.do({ type: "start" });
  scenario.do({ type: "link-up" });
  return scenario;
}

function majordomo(): SessionScenario {
  return new SessionScenario({ brokerAnswers: false, concurrency: 1, maxInFlight: 1 });
}

describe("D-PEER-6: a worker of Majordomo", () => {
  test("is connected as soon as it has sent READY, and sends nothing else before the first interval", () => {
    const scenario = majordomo();
    expect(scenario.do({ type: "start" })).toEqual(["open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "connected"]);
  });

  test("sends a heartbeat each interval, and loses the broker after three silent ones", () => {
    const scenario = connected();
    expect(scenario.advance(2000)).toEqual(["1000: send! heartbeat 1", "2000: send! heartbeat 1"]);
    scenario.receive({ type: "heartbeat" });
    expect(scenario.advance(2999)).toEqual(["3000: send! heartbeat 1", "4000: send! heartbeat 1"]);
    expect(scenario.advance(1)).toEqual([
      "5000: send! disconnect",
      "5000: close after writing",
      "5000: disconnected: silence",
    ]);
    expect(scenario.advance(500)).toEqual(["5500: open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "connected"]);
  });

  test("does not lose a silent broker while a request runs, and continues to send heartbeats", () => {
    const scenario = connected();
    scenario.request("r1");
    expect(scenario.advance(9999)).toHaveLength(9);
    expect(scenario.final(-1)).toEqual(['send final r1 to c1: 0 "data"']);
    expect(scenario.advance(2999)).toEqual([
      "10000: send! heartbeat 1",
      "11000: send! heartbeat 1",
      "12000: send! heartbeat 1",
    ]);
    expect(scenario.advance(1)).toEqual([
      "12999: send! disconnect",
      "12999: close after writing",
      "12999: disconnected: silence",
    ]);
  });

  test("sends nothing more after DISCONNECT, and reconnects on a new link with READY", () => {
    const scenario = connected();
    scenario.request("r1");
    expect(scenario.receive({ type: "disconnect" })).toEqual([
      "abort r1: BROKER_LOST",
      "close",
      "disconnected: disconnected",
    ]);
    expect(scenario.final(-1)).toEqual([]);
    expect(scenario.advance(500)).toEqual(["500: open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "connected"]);
  });

  test("reconnects with growing pauses to a broker that always sends DISCONNECT", () => {
    const scenario = connected();
    scenario.receive({ type: "disconnect" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "disconnect" });
    expect(scenario.advance(999)).toEqual([]);
    expect(scenario.advance(1)).toEqual(["1500: open tcp://one:1"]);
  });

  test("drops a second request while one runs, and reports it, because it cannot be rejected", () => {
    const scenario = connected();
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
    expect(scenario.request("r2")).toEqual([
      "report D-PEER-6: dropped a request of the broker: the worker is busy or stops",
    ]);
    expect(scenario.final(-1)).toEqual(['send final r1 to c1: 0 "data"']);
    expect(scenario.request("r3")).toEqual(["run r3 of c1"]);
  });

  test("that is idle leaves at once, although no heartbeat was answered", () => {
    const scenario = connected();
    scenario.advance(2000);
    expect(scenario.do({ type: "stop" })).toEqual([
      "send! disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("that is busy finishes its request before it leaves", () => {
    const scenario = connected();
    scenario.request("r1");
    expect(scenario.do({ type: "stop" })).toEqual([]);
    expect(scenario.advance(1000)).toEqual(["1000: send! heartbeat 0"]);
    expect(scenario.final(-1)).toEqual([
      'send final r1 to c1: 0 "data"',
      "send! disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("reports frames that are not a message to a worker, and continues", () => {
    const scenario = connected();
    expect(scenario.receive({ type: "violation", clause: "D-MDP-1", detail: "odd" })).toEqual(["report D-MDP-1: odd"]);
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
  });
});

// A worker's session with a Majordomo broker, which answers neither READY nor heartbeats.

import {
  DEFAULT_REQUEST_OPTIONS,
  requestId,
  serviceName,
  serviceNameFromText,
  type ToWorker,
  type Violation,
  writeText,
} from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { Call } from "./calls.ts";
import type { Effect, Input } from "./effects.ts";
import { Session } from "./session.ts";

const BODY = writeText('"data"');
const OPTIONS = writeText("{}");

class Scenario {
  readonly session: Session = new Session({
    service: serviceNameFromText("echo"),
    addresses: ["tcp://one:1"],
    heartbeatMs: 1000,
    liveness: 3,
    backoff: { firstMs: 500, maxMs: 4000 },
    connectTimeoutMs: 2000,
    brokerAnswers: false,
    random: () => 0,
    concurrency: 1,
    maxInFlight: 1,
    stopTimeoutMs: 5000,
    maxHeldBytes: 1_000_000,
    negotiate: true,
  });
  #call: Call | undefined;
  #now = 0;

  do(input: Input): string[] {
    const effects = this.session.handle(input, this.#now);
    for (const effect of effects) if (effect.type === "run") this.#call = effect.call;
    return effects.map(described);
  }

  hear(message: ToWorker | Violation): string[] {
    return this.do({ type: "message", message });
  }

  request(address: string): string[] {
    const service = serviceName("");
    const options = DEFAULT_REQUEST_OPTIONS;
    return this.hear({
      type: "request",
      address,
      requestId: requestId(address),
      service,
      body: [BODY],
      trailer: [],
      options,
    });
  }

  final(): string[] {
    if (this.#call === undefined) throw new Error("nothing runs");
    return this.do({ type: "final", call: this.#call, status: 0, body: [BODY], options: OPTIONS });
  }

  advance(ms: number): string[] {
    const end = this.#now + ms;
    const lines: string[] = [];
    for (let at = this.session.nextDeadline(); at !== undefined && at <= end; at = this.session.nextDeadline()) {
      this.#now = at;
      lines.push(...this.do({ type: "tick" }).map((line) => `${at}: ${line}`));
    }
    this.#now = end;
    return lines;
  }

  connected(): this {
    this.do({ type: "start" });
    this.do({ type: "link-up" });
    return this;
  }
}

function described(effect: Effect): string {
  switch (effect.type) {
    case "send":
      return `send ${effect.message.type}`;
    case "open":
      return `open ${effect.address}`;
    case "run":
      return `run ${effect.call.address}`;
    case "abort":
      return `abort ${effect.call.address}: ${effect.failure.code}`;
    case "disconnected":
      return `disconnected: ${effect.reason}`;
    case "trouble":
      return `trouble ${effect.message}`;
    default:
      return effect.type;
  }
}

describe("D-PEER-6: a worker of Majordomo", () => {
  test("is connected as soon as it has sent READY, and sends nothing else then", () => {
    const scenario = new Scenario();
    expect(scenario.do({ type: "start" })).toEqual(["open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send ready", "connected"]);
  });

  test("sends a heartbeat each interval, and takes three silent ones for the loss of the broker", () => {
    const scenario = new Scenario().connected();
    expect(scenario.advance(2000)).toEqual(["1000: send heartbeat", "2000: send heartbeat"]);
    scenario.hear({ type: "heartbeat" });
    expect(scenario.advance(2999)).toEqual(["3000: send heartbeat", "4000: send heartbeat"]);
    expect(scenario.advance(1)).toEqual(["5000: send disconnect", "5000: close", "5000: disconnected: silence"]);
    expect(scenario.advance(500)).toEqual(["5500: open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send ready", "connected"]);
  });

  test("holds no silence against the broker while a request runs, and goes on with its heartbeats", () => {
    const scenario = new Scenario().connected();
    scenario.request("c1");
    expect(scenario.advance(9999)).toHaveLength(9);
    expect(scenario.final()).toEqual(["send final"]);
    expect(scenario.advance(2999)).toEqual(["10000: send heartbeat", "11000: send heartbeat", "12000: send heartbeat"]);
    expect(scenario.advance(1)).toEqual(["12999: send disconnect", "12999: close", "12999: disconnected: silence"]);
  });

  test("says nothing more after DISCONNECT, and comes back on a new link with READY", () => {
    const scenario = new Scenario().connected();
    scenario.request("c1");
    expect(scenario.hear({ type: "disconnect" })).toEqual([
      "abort c1: BROKER_LOST",
      "close",
      "disconnected: disconnected",
    ]);
    expect(scenario.final()).toEqual([]);
    expect(scenario.advance(500)).toEqual(["500: open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send ready", "connected"]);
  });

  test("comes back ever more slowly to a broker that only ever sends it away", () => {
    const scenario = new Scenario().connected();
    scenario.hear({ type: "disconnect" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.hear({ type: "disconnect" });
    expect(scenario.advance(999)).toEqual([]);
    expect(scenario.advance(1)).toEqual(["1500: open tcp://one:1"]);
  });

  test("drops a second request while one runs, and reports it, because it cannot be given back", () => {
    const scenario = new Scenario().connected();
    expect(scenario.request("c1")).toEqual(["run c1"]);
    expect(scenario.request("c2")).toEqual([
      "trouble D-PEER-6: the broker sent a request that cannot be taken now, and it is dropped",
    ]);
    expect(scenario.final()).toEqual(["send final"]);
    expect(scenario.request("c3")).toEqual(["run c3"]);
  });

  test("that has nothing to do leaves at once, though no heartbeat was ever answered", () => {
    const scenario = new Scenario().connected();
    scenario.advance(2000);
    expect(scenario.do({ type: "stop" })).toEqual([
      "send disconnect",
      "close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("that works on a request finishes it before it leaves", () => {
    const scenario = new Scenario().connected();
    scenario.request("c1");
    expect(scenario.do({ type: "stop" })).toEqual([]);
    expect(scenario.advance(1000)).toEqual(["1000: send heartbeat"]);
    expect(scenario.final()).toEqual([
      "send final",
      "send disconnect",
      "close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("reports what is no message to a worker, and goes on", () => {
    const scenario = new Scenario().connected();
    expect(scenario.hear({ type: "violation", clause: "D-MDP-1", detail: "odd" })).toEqual(["trouble D-MDP-1: odd"]);
    expect(scenario.request("c1")).toEqual(["run c1"]);
  });
});

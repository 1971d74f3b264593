import {
  DEFAULT_REQUEST_OPTIONS,
  MAX_CREDIT,
  NO_CAPABILITIES,
  readText,
  requestId,
  serviceNameFromText,
  writeText,
} from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { Call } from "./calls.ts";
import type { Effect, Input } from "./effects.ts";
import { mayLeave } from "./held-parts.ts";
import { Session } from "./session.ts";

const OPTIONS = writeText("{}");

/** A session whose broker can be paced, and of which every effect about requests is told as a line. */
class Scenario {
  readonly session: Session;
  readonly calls = new Map<string, Call>();
  readonly lines: string[] = [];

  constructor({ maxHeldBytes = 1_000_000, credit = true } = {}) {
    this.session = new Session({
      service: serviceNameFromText("rows"),
      addresses: ["tcp://one:1"],
      heartbeatMs: 1000,
      liveness: 3,
      backoff: { firstMs: 500, maxMs: 4000 },
      connectTimeoutMs: 2000,
      random: () => 0,
      concurrency: 100,
      maxInFlight: 100,
      stopTimeoutMs: 5000,
      maxHeldBytes,
      negotiate: true,
      brokerAnswers: true,
    });
    this.do({ type: "start" });
    this.do({ type: "link-up" });
    this.do({ type: "message", message: { type: "ready", accepted: { ...NO_CAPABILITIES, credit } } });
    this.do({ type: "message", message: { type: "heartbeat" } });
    this.lines.length = 0;
  }

  do(input: Input, now = 0): void {
    for (const effect of this.session.handle(input, now)) {
      if (effect.type === "run") this.calls.set(effect.call.requestId, effect.call);
      else this.lines.push(described(effect));
    }
  }

  request(id: string, credit?: number): Call {
    const message = {
      type: "request",
      address: "c1",
      requestId: requestId(id),
      service: serviceNameFromText("rows"),
      body: [],
      trailer: [],
      options: DEFAULT_REQUEST_OPTIONS,
      credit,
    } as const;
    this.do({ type: "message", message });
    const call = this.calls.get(id);
    if (call === undefined) throw new Error(`${id} was not run`);
    return call;
  }

  write(call: Call, ...texts: readonly string[]): void {
    for (const text of texts) this.do({ type: "partial", call, body: [writeText(text)], options: OPTIONS });
  }

  end(call: Call, text: string, status = 0): void {
    this.do({ type: "final", call, status, body: [writeText(text)], options: OPTIONS });
  }

  /** Grants, and lets leave what may, as the shell does on a link that takes everything. */
  grant(id: string, chunks: number): void {
    this.do({ type: "message", message: { type: "credit", address: "c1", requestId: requestId(id), chunks } });
    const call = this.calls.get(id);
    while (call !== undefined && mayLeave(call)) this.do({ type: "flush", call });
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

function described(effect: Effect): string {
  switch (effect.type) {
    case "send": {
      const { message } = effect;
      const body = "body" in message ? ` ${message.body.map(readText)}` : "";
      return `${message.type}${body}`;
    }
    case "abort":
      return `abort ${effect.failure.code}`;
    case "resume":
      return `resume ${effect.call.requestId}`;
    default:
      return effect.type;
  }
}

describe("a reply that is paced", () => {
  test("goes out as far as it was granted, and on with the next grant, in order", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 2);
    scenario.write(call, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1", "partial 2"]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["resume r1", "partial 3"]);
    scenario.grant("r1", 5);
    scenario.write(call, "5");
    expect(scenario.take()).toEqual(["resume r1", "partial 4", "partial 5"]);
  });

  test("ends without a grant, behind all that was written before", () => {
    const scenario = new Scenario();
    const one = scenario.request("r1", 1);
    scenario.write(one, "1");
    scenario.end(one, "end");
    expect(scenario.take()).toEqual(["partial 1", "final end"]);
    const other = scenario.request("r2", 1);
    scenario.write(other, "1", "2");
    scenario.end(other, "failed", -1);
    expect(scenario.take()).toEqual(["partial 1"]);
    expect(other.isInFlight).toBe(true);
    scenario.grant("r2", 1);
    expect(scenario.take()).toEqual(["resume r2", "partial 2", "final failed"]);
    expect(other.isInFlight).toBe(false);
  });

  test("does not let a part overtake one that waits for the link", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    const texts = Array.from({ length: 50 }, (_, number) => String(number));
    scenario.write(call, ...texts);
    scenario.do({
      type: "message",
      message: { type: "credit", address: "c1", requestId: requestId("r1"), chunks: 99 },
    });
    scenario.do({ type: "flush", call });
    scenario.write(call, "50");
    expect(scenario.take()).toEqual(["partial 0", "resume r1", ...texts.slice(1, 33).map((text) => `partial ${text}`)]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["resume r1", ...[...texts.slice(33), "50"].map((text) => `partial ${text}`)]);
  });

  test("fails when more waits than may: what was sent has no hole, and nothing follows the failure", () => {
    const scenario = new Scenario({ maxHeldBytes: 1_000 });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1"]);
    scenario.write(call, "5");
    const [failure, ...others] = scenario.take();
    expect(failure).toContain('"code":"BUSY"');
    expect(failure).toContain("maxHeldBytes");
    expect(others).toEqual(["abort BUSY"]);
    scenario.write(call, "6");
    scenario.end(call, "end");
    scenario.grant("r1", 9);
    expect(scenario.take()).toEqual([]);
  });

  test("counts what waits for all requests together, and gives it free with each that ends", () => {
    const scenario = new Scenario({ maxHeldBytes: 1_000 });
    const [one, two, three] = [scenario.request("r1", 1), scenario.request("r2", 1), scenario.request("r3", 1)];
    for (const call of [one, two, three]) scenario.write(call, "1", "2");
    scenario.take();
    scenario.write(one, "3");
    expect(scenario.take().at(-1)).toBe("abort BUSY");
    scenario.write(two, "3");
    expect(scenario.take()).toEqual([]);
    scenario.do({ type: "message", message: { type: "cancel", address: "c1", requestId: requestId("r2") } });
    scenario.write(three, "3", "4");
    expect(scenario.take()).toEqual(["abort CANCELED"]);
    scenario.grant("r3", 3);
    expect(scenario.take()).toEqual(["resume r3", "partial 2", "partial 3", "partial 4"]);
    const last = scenario.request("r4", 1);
    scenario.write(last, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1"]);
  });

  test("is cut off with all that it holds when the connection is lost, and the next one starts with nothing held", () => {
    const scenario = new Scenario({ maxHeldBytes: 600 });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2", "3");
    scenario.end(call, "end");
    scenario.take();
    scenario.do({ type: "link-down" });
    expect(scenario.take()).toContain("abort BROKER_LOST");
    scenario.do({ type: "flush", call });
    expect(scenario.take()).toEqual([]);
  });

  test("keeps a worker that stops waiting for its end, and leaves with it", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2");
    scenario.end(call, "end");
    scenario.do({ type: "stop" });
    scenario.do({ type: "message", message: { type: "heartbeat" } });
    expect(scenario.take()).toEqual(["partial 1", "heartbeat"]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual([
      "resume r1",
      "partial 2",
      "final end",
      "disconnect",
      "close",
      "disconnected",
      "stopped",
    ]);
  });

  test("is cut off when the worker has waited long enough", () => {
    const scenario = new Scenario();
    scenario.write(scenario.request("r1", 1), "1", "2");
    scenario.do({ type: "stop" });
    scenario.take();
    scenario.do({ type: "tick" }, 5_000);
    expect(scenario.take().slice(-5)).toEqual(["abort CLOSED", "disconnect", "close", "disconnected", "stopped"]);
  });
});

describe("a grant", () => {
  test("for what has ended, of nothing, or for a reply that is not paced changes nothing", () => {
    const scenario = new Scenario();
    const paced = scenario.request("r1", 1);
    scenario.write(paced, "1", "2");
    scenario.grant("r1", 0);
    scenario.grant("r2", 5);
    const free = scenario.request("r3");
    scenario.grant("r3", 5);
    for (let part = 0; part < 10; part++) scenario.write(free, "x");
    expect(scenario.take()).toEqual(["partial 1", ...Array.from({ length: 10 }, () => "partial x")]);
    scenario.do({ type: "message", message: { type: "cancel", address: "c1", requestId: requestId("r1") } });
    scenario.take();
    scenario.grant("r1", 5);
    expect(scenario.take()).toEqual([]);
  });

  test("of all there is, or that adds up to it, ends the pacing", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    scenario.grant("r1", MAX_CREDIT);
    for (let part = 0; part < 10; part++) scenario.write(call, "x");
    expect(scenario.take()).toHaveLength(11);
    expect(call.credit).toBe(MAX_CREDIT);
  });

  test("without an agreement with the broker paces nothing", () => {
    const scenario = new Scenario({ credit: false });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2");
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["partial 1", "partial 2", "trouble"]);
  });
});

test("whatever is written and granted, parts leave in order, and never more than were granted", () => {
  for (const script of scriptsOf(["write", 0, 1, 3] as const, 6)) {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    let granted = 1;
    let written = 0;
    for (const step of script) {
      if (step === "write") {
        scenario.write(call, String(written));
        written += 1;
      } else {
        scenario.grant("r1", step);
        granted += step;
      }
      const sent = scenario.lines.filter((line) => line !== "resume r1");
      expect(sent).toEqual(Array.from({ length: Math.min(granted, written) }, (_, index) => `partial ${index}`));
    }
  }
});

/** Every sequence of so many of these steps. */
function scriptsOf<Step>(steps: readonly Step[], length: number): (readonly Step[])[] {
  if (length === 0) return [[]];
  const shorter = scriptsOf(steps, length - 1);
  return steps.flatMap((step) => shorter.map((script) => [step, ...script]));
}

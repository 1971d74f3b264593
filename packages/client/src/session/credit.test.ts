import { NO_CAPABILITIES, requestId, serviceName, writeText } from "@pigato/protocol";
import { type Instant, parseRequestOptions } from "@pigato/protocol/internal";
import { CoreAlarm } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { BrokerMessage, Effect, Input, RequestMessage } from "./effects.ts";
import { pigatoSession } from "./pigato.ts";
import type { Session } from "./session.ts";

/** Chunks that a reader reads before its first report. */
const FIRST_REPORT = 8;

/** A caller that reads. */
interface Reader {
  readonly id: string;
  reads: number;
  reportAfter: number;
}

/** A session. Its messages and the outcomes of its requests are lines. */
class Scenario {
  readonly #session: Session;
  readonly #alarm: CoreAlarm;
  readonly #callers = new Map<number, Reader>();
  #lines: string[] = [];
  #now: Instant = 1_000;

  constructor(negotiate = true) {
    const limits = { maxQueuedRequests: 2 };
    this.#session = pigatoSession(sessionOptions({ connection: { heartbeatMs: 60_000 }, limits, negotiate }));
    this.#alarm = new CoreAlarm(this.#session);
    this.do({ type: "start" }).do({ type: "link-up" }).seen();
  }

  do(input: Input): this {
    for (const effect of this.#session.handle(input, this.#now)) this.#see(effect);
    this.#alarm.onHandled(input);
    return this;
  }

  answer(credit = true): this {
    return this.receive({ type: "heartbeat", accepted: { ...NO_CAPABILITIES, cancel: true, error: true, credit } });
  }

  receive(message: BrokerMessage): this {
    return this.do({ type: "message", message });
  }

  /** A request whose caller reads a stream. */
  stream(id: string, options: { readonly timeout?: number; readonly retry?: 0 | 1 } = {}): this {
    return this.#request(id, messageOf(id, options), true);
  }

  call(id: string): this {
    return this.#request(id, messageOf(id, {}), false);
  }

  part(id: string, bytes = 100_000): this {
    const body = [writeText(JSON.stringify("x".repeat(bytes - 2)))];
    return this.receive({ type: "partial", requestId: requestId(id), status: 0, body, trailer: [] });
  }

  final(id: string): this {
    return this.receive({ type: "final", requestId: requestId(id), status: 0, body: [writeText("1")], trailer: [] });
  }

  /** The caller reads so many chunks. */
  read(id: string, chunks: number): this {
    for (const caller of [...this.#callers.values()].filter((each) => each.id === id)) {
      for (let chunk = 0; chunk < chunks; chunk++) {
        caller.reads += 1;
        this.#report(caller);
      }
    }
    return this;
  }

  advance(ms: number): this {
    this.#now = this.#alarm.advance(this.#now, ms, (at) => {
      this.#now = at;
      this.do({ type: "tick" });
    });
    return this;
  }

  seen(): string[] {
    return this.#lines.splice(0);
  }

  #request(id: string, message: RequestMessage, isPaced: boolean): this {
    const call = callOf(message.requestId);
    this.#callers.set(call, { id, reads: 0, reportAfter: FIRST_REPORT });
    return this.do({ type: "request", call, message, isPaced });
  }

  #report(caller: Reader): void {
    const { id, reads, reportAfter } = caller;
    if (reads < reportAfter) return;
    caller.reads = 0;
    this.do({ type: "read", requestId: requestId(id), chunks: reads });
  }

  #see(effect: Effect): void {
    if (effect.type === "report-reads") {
      const caller = this.#callers.get(effect.call);
      if (caller === undefined) throw new Error(`no caller ${effect.call}`);
      caller.reportAfter = effect.after;
      this.#report(caller);
    }
    if (effect.type === "failed") this.#lines.push(`${this.#callers.get(effect.call)?.id}: ${effect.failure.code}`);
    if (effect.type === "final") this.#lines.push(`${this.#callers.get(effect.call)?.id}: final`);
    if (effect.type !== "send") return;
    const { message } = effect;
    if (message.type === "request") {
      this.#lines.push(
        `request ${message.requestId}${message.credit === undefined ? "" : ` credit ${message.credit}`}`,
      );
    } else if (message.type === "credit") {
      this.#lines.push(`credit ${message.requestId} ${message.chunks}`);
    } else if (message.type !== "heartbeat") {
      this.#lines.push(message.type);
    }
  }
}

function messageOf(id: string, options: object): RequestMessage {
  return {
    type: "request",
    service: serviceName("rows"),
    requestId: requestId(id),
    body: [writeText("1")],
    trailer: [],
    options: parseRequestOptions(JSON.stringify(options)),
  };
}

describe("a request that is read as a stream", () => {
  test("carries the first grant, and grants more as the caller reads, but not for each chunk", () => {
    const sim = new Scenario().answer();
    sim.stream("r1");
    expect(sim.seen()).toEqual(["request r1 credit 16"]);
    for (let part = 0; part < 16; part++) sim.part("r1");
    expect(sim.seen()).toEqual([]);
    sim.read("r1", 7);
    expect(sim.seen()).toEqual([]);
    sim.read("r1", 1);
    expect(sim.seen()).toEqual(["credit r1 12"]);
    sim.read("r1", 8);
    expect(sim.seen()).toEqual([]);
  });

  test("waits until the broker has answered whether it supports credit; other requests do not", () => {
    const sim = new Scenario();
    sim.stream("r1").call("r2");
    expect(sim.seen()).toEqual(["request r2"]);
    sim.answer();
    expect(sim.seen()).toEqual(["request r1 credit 16"]);
    const classic = new Scenario(false);
    classic.stream("r1");
    expect(classic.seen()).toEqual(["request r1"]);
  });

  test("counts toward the bound of waiting requests while it waits", () => {
    const sim = new Scenario();
    sim.stream("r1").stream("r2").stream("r3");
    expect(sim.seen()).toEqual(["r3: BUSY"]);
    sim.receive({ type: "final", requestId: requestId("other"), status: 0, body: [writeText("1")], trailer: [] });
    expect(sim.seen()).toEqual(["request r1", "request r2"]);
  });

  test("sends no credit to a broker that does not support it", () => {
    const sim = new Scenario().answer(false);
    sim.stream("r1");
    for (let part = 0; part < 40; part++) sim.part("r1").read("r1", 1);
    expect(sim.seen()).toEqual(["request r1"]);
  });

  test("is sent again with the first grant when its broker was lost", () => {
    const sim = new Scenario().answer();
    sim.stream("r1", { retry: 1 }).do({ type: "link-lost", reason: "link-down" });
    sim.advance(100).do({ type: "link-up" });
    expect(sim.seen()).toEqual(["request r1 credit 16"]);
    sim.answer(false);
    expect(sim.seen()).toEqual(["request r1"]);
    for (let part = 0; part < 40; part++) sim.part("r1").read("r1", 1);
    expect(sim.seen()).toEqual([]);
  });

  test("grants nothing after its end by a final, a cancel or the loss of the broker", () => {
    const sim = new Scenario().answer();
    sim.stream("r1").stream("r2").stream("r3");
    for (const id of ["r1", "r2", "r3"]) for (let part = 0; part < 16; part++) sim.part(id);
    sim
      .final("r1")
      .do({ type: "cancel", requestId: requestId("r2"), reason: undefined })
      .seen();
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.seen()).toEqual(["r3: BROKER_LOST"]);
    for (const id of ["r1", "r2", "r3"]) sim.read(id, 16).do({ type: "read", requestId: requestId(id), chunks: 16 });
    expect(sim.seen()).toEqual([]);
  });

  test("fails if a grant cannot be sent, because the rest might never arrive", () => {
    const sim = new Scenario().answer();
    sim.stream("r1").part("r1").seen();
    sim.do({ type: "send-failed", message: "credit", requestId: requestId("r1") });
    expect(sim.seen()).toEqual(["cancel", "r1: BUSY"]);
    sim.do({ type: "send-failed", message: "credit", requestId: requestId("r1") });
    expect(sim.seen()).toEqual([]);
  });
});

describe("a slow caller", () => {
  test("keeps its request alive by reading, with a grant for the chunks it read by half of the timeout", () => {
    const sim = new Scenario().answer();
    sim.stream("r1", { timeout: 1_000 });
    for (let part = 0; part < 16; part++) sim.part("r1");
    sim.seen();
    for (let round = 0; round < 8; round++) sim.read("r1", 1).advance(900);
    const granted = sim.seen();
    expect(granted.length).toBeGreaterThanOrEqual(7);
    expect(new Set(granted.map((line) => line.split(" ")[0]))).toEqual(new Set(["credit"]));
  });

  test("that reads late sends its grant at once", () => {
    const sim = new Scenario().answer();
    sim.stream("r1", { timeout: 1_000 });
    for (let part = 0; part < 16; part++) sim.part("r1");
    sim.seen();
    sim.advance(700);
    expect(sim.seen()).toEqual([]);
    sim.read("r1", 1);
    expect(sim.seen()).toHaveLength(1);
  });

  test("that stops reading fails its request when the timeout has passed", () => {
    const sim = new Scenario().answer();
    sim.stream("r1", { timeout: 1_000 });
    for (let part = 0; part < 16; part++) sim.part("r1");
    sim.seen();
    sim.advance(1_199);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["cancel", "r1: DEADLINE_EXCEEDED"]);
  });

  test("does not delay the stop of the client", () => {
    const sim = new Scenario().answer();
    sim.stream("r1");
    for (let part = 0; part < 16; part++) sim.part("r1");
    sim.do({ type: "stop" }).seen();
    sim.advance(2_000);
    expect(sim.seen()).toEqual(["r1: CLOSED", "disconnect"]);
  });
});

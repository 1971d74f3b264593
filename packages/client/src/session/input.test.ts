import {
  DEFAULT_REQUEST_OPTIONS,
  type Failure,
  NO_CAPABILITIES,
  readText,
  requestId,
  serviceName,
  writeText,
} from "@pigato/protocol";
import { type Instant, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";
import { CoreAlarm } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { BrokerMessage, Effect, Input } from "./effects.ts";
import { pigatoSession } from "./pigato.ts";
import type { Session } from "./session.ts";

const ACCEPTED = { ...NO_CAPABILITIES, cancel: true, error: true, duplex: true };

/** A session. Its messages and what it does with the sources of input are lines. */
class Scenario {
  /** The send outcome of the next input. */
  outcome: "queued" | "slow" | "congested" = "queued";
  readonly failures: Failure[] = [];
  readonly #session: Session;
  readonly #alarm: CoreAlarm;
  #lines: string[] = [];
  #now: Instant = 1_000;

  constructor(accepted = ACCEPTED) {
    const limits = { maxQueuedRequests: 2 };
    this.#session = pigatoSession(sessionOptions({ connection: { heartbeatMs: 60_000 }, limits }));
    this.#alarm = new CoreAlarm(this.#session);
    this.do({ type: "start" }).up(accepted).seen();
  }

  up(accepted = ACCEPTED): this {
    return this.do({ type: "link-up" }).receive({ type: "heartbeat", accepted });
  }

  do(input: Input): this {
    const inputs = [input];
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of this.#session.handle(next, this.#now)) {
        if (effect.type === "defer") inputs.push(effect.input);
        else this.#see(effect, inputs);
      }
      this.#alarm.onHandled(next);
    }
    return this;
  }

  receive(message: BrokerMessage): this {
    return this.do({ type: "message", message });
  }

  request(id: string, source: "once" | "replayable" = "once", retry = false, timeoutMs = 60_000): this {
    const options = { ...DEFAULT_REQUEST_OPTIONS, hasInput: true, retry, timeoutMs };
    const names = { service: serviceName("load"), requestId: requestId(id), body: [writeText("null")], trailer: [] };
    const message = { type: "request", ...names, options } as const;
    return this.do({ type: "request", call: callOf(message.requestId), message, isPaced: false, source });
  }

  grant(id: string, chunks: number): this {
    return this.receive({ type: "credit", requestId: requestId(id), chunks });
  }

  chunk(id: string, chunk: string): this {
    return this.do({ type: "input", requestId: requestId(id), chunk: writeText(chunk) });
  }

  end(id: string): this {
    return this.do({ type: "input-end", requestId: requestId(id) });
  }

  flush(): this {
    return this.do({ type: "input-flow", event: "flush" });
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

  #see(effect: Effect, inputs: Input[]): void {
    switch (effect.type) {
      case "pause-input":
      case "resume-input":
      case "restart-input":
        this.#lines.push(`${effect.type.split("-")[0]} r${effect.call}`);
        return;
      case "failed":
        this.failures.push(effect.failure);
        this.#lines.push(`r${effect.call} failed: ${effect.failure.code}`);
        return;
      case "final":
        this.#lines.push(`r${effect.call}: final`);
        return;
      case "send":
        return this.#seeSend(effect, inputs);
    }
  }

  #seeSend({ message }: Effect & { readonly type: "send" }, inputs: Input[]): void {
    if (message.type === "heartbeat" || message.type === "disconnect" || message.type === "worker-heartbeat") return;
    if (message.type !== "input") return void this.#lines.push(`send ${message.type} ${message.requestId}`);
    const { outcome } = this;
    this.outcome = "queued";
    if (outcome === "congested") {
      inputs.push({ type: "send-failed", message: "input", requestId: message.requestId });
    } else {
      this.#lines.push(`send input ${message.requestId}: ${message.chunks.map(readText)}`);
      if (outcome === "slow") inputs.push({ type: "input-flow", event: "link-slow" });
    }
  }
}

const LARGE = "x".repeat(4_096);

describe("P-STREAM-8: input", () => {
  test("waits for the worker's first grant, and is paused when the grants are used", () => {
    const sim = new Scenario().request("r1");
    expect(sim.seen()).toEqual(["send request r1"]);
    expect(sim.grant("r1", 2).seen()).toEqual(["resume r1"]);
    expect(sim.chunk("r1", "1").chunk("r1", "2").seen()).toEqual(["pause r1"]);
    expect(sim.flush().seen()).toEqual(["send input r1: 1,2"]);
    expect(sim.grant("r1", 1).seen()).toEqual(["resume r1"]);
    expect(sim.end("r1").seen()).toEqual(["send input-end r1"]);
  });

  test("travels together, up to 32 small chunks, and large chunks alone", () => {
    const sim = new Scenario().request("r1").grant("r1", 100);
    sim.seen();
    for (let chunk = 0; chunk < 33; chunk++) sim.chunk("r1", "1");
    expect(sim.seen()).toHaveLength(1);
    expect(sim.chunk("r1", LARGE).seen()).toEqual(["send input r1: 1", `send input r1: ${LARGE}`]);
    expect(sim.chunk("r1", "2").end("r1").seen()).toEqual(["send input r1: 2", "send input-end r1"]);
  });

  test("P-STREAM-11: is paused when its credit in bytes is used, until the next grant", () => {
    const sim = new Scenario().request("r1").grant("r1", 100);
    sim.chunk("r1", "x".repeat(MAX_CREDIT_BYTES - 1)).seen();
    expect(sim.chunk("r1", LARGE).seen()).toEqual([`send input r1: ${LARGE}`, "pause r1"]);
    expect(sim.chunk("r1", "held").seen()).toEqual([]);
    expect(sim.grant("r1", 1).seen()).toEqual(["send input r1: held", "resume r1"]);
  });

  test("that a source gives without a grant is held, in order, and so is its end", () => {
    const sim = new Scenario().request("r1").grant("r1", 1);
    sim.chunk("r1", "1").chunk("r1", "2").chunk("r1", "3").end("r1").flush();
    sim.seen();
    expect(sim.grant("r1", 1).seen()).toEqual(["send input r1: 2"]);
    expect(sim.grant("r1", 5).seen()).toEqual(["send input r1: 3", "send input-end r1"]);
  });

  test("ends with its request, and later grants and chunks have no effect", () => {
    const sim = new Scenario().request("r1").grant("r1", 5).chunk("r1", "1");
    sim.receive({ type: "final", requestId: requestId("r1"), status: 0, body: [writeText("1")], trailer: [] });
    expect(sim.seen()).toEqual(["send request r1", "resume r1", "r1: final"]);
    expect(sim.flush().grant("r1", 5).chunk("r1", "2").end("r1").seen()).toEqual([]);
  });

  test("is not granted to a request without input, nor by a broker that did not negotiate it", () => {
    const old = new Scenario({ ...ACCEPTED, duplex: false }).request("r1");
    expect(old.seen()).toEqual(["r1 failed: INVALID"]);
    expect(old.failures[0]).toMatchObject({ delivery: "not-sent", message: expect.stringContaining("(duplex)") });
  });
});

describe("P-STREAM-10: the link", () => {
  test("that is slow pauses the sources that write, until it has drained", () => {
    const sim = new Scenario().request("r1").grant("r1", 100);
    sim.seen();
    sim.outcome = "slow";
    expect(sim.chunk("r1", LARGE).seen()).toEqual([`send input r1: ${LARGE}`, "pause r1"]);
    expect(sim.do({ type: "input-flow", event: "link-drained" }).seen()).toEqual(["resume r1"]);
  });

  test("that does not accept a chunk ends the request, and the end of the input is not sent", () => {
    const sim = new Scenario().request("r1").grant("r1", 100);
    sim.seen();
    sim.outcome = "congested";
    expect(sim.chunk("r1", "1").end("r1").seen()).toEqual(["send cancel r1", "r1 failed: BUSY"]);
  });

  test("P-SIZE-1: a chunk that is larger than the broker accepts ends the request", () => {
    const sim = new Scenario({ ...ACCEPTED, maxFrameBytes: 70_000, maxMessageBytes: 70_000 });
    sim.request("r1").grant("r1", 100).seen();
    expect(sim.chunk("r1", "x".repeat(70_001)).seen()).toEqual(["send cancel r1", "r1 failed: INVALID"]);
  });
});

describe("P-STREAM-9: a request with retry", () => {
  const LOST: Input = { type: "link-lost", reason: "link-down" };

  test("is sent again if nothing of its source was read", () => {
    const sim = new Scenario().request("r1", "once", true).grant("r1", 5);
    sim.seen();
    expect(sim.do(LOST).seen()).toEqual(["pause r1"]);
    expect(sim.advance(200).up().seen()).toEqual(["send request r1"]);
    expect(sim.grant("r1", 5).chunk("r1", "1").flush().seen()).toEqual(["resume r1", "send input r1: 1"]);
  });

  test("fails once its source was read", () => {
    const sim = new Scenario().request("r1", "once", true).grant("r1", 5).chunk("r1", "1");
    sim.seen();
    expect(sim.do(LOST).seen()).toEqual(["r1 failed: BROKER_LOST"]);
  });

  test("starts its source over if that can be replayed", () => {
    const sim = new Scenario().request("r1", "replayable", true).grant("r1", 5).chunk("r1", "1").end("r1");
    sim.seen();
    expect(sim.do(LOST).seen()).toEqual(["pause r1", "restart r1"]);
    sim.advance(200).up().grant("r1", 5).chunk("r1", "1").end("r1");
    expect(sim.seen()).toEqual(["send request r1", "resume r1", "send input r1: 1", "send input-end r1"]);
  });
});

test("chunks and grants restart the timeout", () => {
  const sim = new Scenario().request("r1", "once", false, 100);
  sim.advance(99).grant("r1", 5).advance(99).chunk("r1", "1").flush().advance(99);
  expect(sim.seen()).not.toContain("r1 failed: DEADLINE_EXCEEDED");
  sim.advance(301);
  expect(sim.seen()).toContain("r1 failed: DEADLINE_EXCEEDED");
});

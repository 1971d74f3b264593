import {
  type Failure,
  type FromClient,
  NO_CAPABILITIES,
  peerId,
  requestId,
  serviceName,
  writeText,
} from "@pigato/protocol";
import { DEFAULT_SIZE_BOUNDS, type Instant, parseRequestOptions } from "@pigato/protocol/internal";
import { CoreAlarm } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { type SessionChanges, sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { BrokerMessage, Effect, Input, RequestMessage } from "./effects.ts";
import { pigatoSession } from "./pigato.ts";
import type { Session } from "./session.ts";

interface Settings extends Omit<SessionChanges, "connection"> {
  readonly addresses?: readonly string[];
}

/** A session, a clock that the test controls, and the effects as lines. */
class Scenario {
  readonly session: Session;
  readonly #alarm: CoreAlarm;
  readonly failures: Failure[] = [];
  readonly #callers = new Map<number, string>();
  #lines: string[] = [];
  #now: Instant = 1_000;

  constructor(settings: Settings = {}) {
    const { addresses = ["tcp://a"], ...options } = settings;
    this.session = pigatoSession(sessionOptions({ connection: { addresses }, ...options }));
    this.#alarm = new CoreAlarm(this.session);
  }

  do(input: Input): this {
    for (const effect of this.session.handle(input, this.#now)) this.#lines.push(this.#line(effect));
    this.#alarm.onHandled(input);
    return this;
  }

  /** Advances the clock, with a tick at every deadline. */
  advance(ms: number): this {
    this.#now = this.#alarm.advance(this.#now, ms, (at) => {
      this.#now = at;
      this.do({ type: "tick" });
    });
    return this;
  }

  /** The lines since the last call. */
  seen(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** A client whose link is up and whose broker has answered. `features` are the accepted capabilities. */
  connect(features: "modern" | "classic" = "modern"): this {
    this.do({ type: "start" }).do({ type: "link-up" }).answer(features).seen();
    return this;
  }

  answer(features: "modern" | "classic" = "modern"): this {
    const accepted = { ...NO_CAPABILITIES, cancel: true, error: true, notice: true, requestHeartbeat: true };
    return this.receive({ type: "heartbeat", accepted: features === "modern" ? accepted : undefined });
  }

  request(
    id: string,
    options: {
      readonly timeout?: number;
      readonly retry?: number;
      readonly persist?: 0 | 1;
      readonly excess?: string;
    } = {},
    body = writeText('"data"'),
  ): this {
    const message: RequestMessage = {
      type: "request",
      service: serviceName("echo"),
      requestId: requestId(id),
      body: options.excess === undefined ? [body] : [],
      excess: options.excess,
      trailer: [],
      options: {
        ...parseRequestOptions(JSON.stringify(options)),
        maxAttempts: options.retry === 1 ? undefined : options.retry,
      },
    };
    const call = callOf(message.requestId);
    this.#callers.set(call, `caller of ${id}`);
    return this.do({ type: "request", call, message, isPaced: false });
  }

  cancel(id: string): this {
    return this.do({ type: "cancel", requestId: requestId(id), reason: "enough" });
  }

  receive(message: BrokerMessage): this {
    return this.do({ type: "message", message });
  }

  reply(type: "partial" | "final", id: string, json: string, status = 0): this {
    return this.receive({ type, requestId: requestId(id), status, body: [writeText(json)], trailer: [] });
  }

  #line(effect: Effect): string {
    switch (effect.type) {
      case "open":
        return `open ${effect.address}`;
      case "close":
        return effect.flush ? "flush and close" : "close";
      case "send":
        return `send ${lineOf(effect.message)}`;
      case "partial":
      case "final":
        return `${this.#callers.get(effect.call)}: ${effect.type} ${JSON.stringify(effect.value)}`;
      case "failed":
        this.failures.push(effect.failure);
        return `${this.#callers.get(effect.call)}: ${effect.failure.code}, ${effect.failure.delivery}`;
      case "progress":
        if (effect.progress.type === "heartbeat") return `${this.#callers.get(effect.call)}: heartbeat`;
        return `${this.#callers.get(effect.call)}: ${effect.progress.notice.state} ${effect.progress.notice.worker ?? ""}`.trimEnd();
      case "disconnected":
        return `disconnected: ${effect.reason}`;
      case "connected":
      case "stopped":
        return effect.type;
      case "report-reads":
        return `report reads after ${effect.after}`;
      case "report":
        return `report ${effect.event.type}`;
      case "pause-input":
      case "resume-input":
      case "restart-input":
      case "flush-soon":
      case "defer":
        return effect.type;
      default:
        return effect satisfies never;
    }
  }
}

function lineOf(message: FromClient): string {
  switch (message.type) {
    case "request":
    case "cancel":
    case "request-heartbeat":
      return `${message.type} ${message.requestId}`;
    case "heartbeat":
      return message.offer === undefined ? "heartbeat" : "heartbeat with an offer";
    default:
      return message.type;
  }
}

describe("a connection", () => {
  test("opens a link, sends an offer, and counts as connected when the broker answers", () => {
    const sim = new Scenario();
    sim.do({ type: "start" }).do({ type: "link-up" });
    expect(sim.seen()).toEqual(["open tcp://a", "send heartbeat with an offer"]);
    sim.answer();
    expect(sim.seen()).toEqual(["connected"]);
  });

  test("without negotiation sends the original's first heartbeat, and accepts no offer", () => {
    const sim = new Scenario({ negotiate: false });
    sim.do({ type: "start" }).do({ type: "link-up" }).answer("modern");
    expect(sim.seen()).toEqual(["open tcp://a", "send heartbeat", "connected"]);
    sim.request("r1").cancel("r1").do({ type: "stop" });
    expect(sim.seen()).toEqual([
      "send request r1",
      "caller of r1: CANCELED, maybe-executed",
      "flush and close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("is not established by a message without the tag of a client", () => {
    const sim = new Scenario();
    sim.do({ type: "start" }).do({ type: "link-up" }).seen();
    sim.do({ type: "message", message: { type: "violation", clause: "P-MSG-1", detail: "for a worker" } });
    expect(sim.seen()).toEqual(["report violation"]);
    sim.do({ type: "message", message: { type: "violation", clause: "P-TYPE-1", detail: "an odd type" } });
    expect(sim.seen()).toEqual(["connected", "report violation"]);
  });

  test("sends extra heartbeats, for any request, while it is open", () => {
    const sim = new Scenario({ negotiate: false });
    const beat = (id?: string): Scenario =>
      sim.do({ type: "heartbeat", requestId: id === undefined ? undefined : requestId(id) });
    beat("another's");
    expect(sim.seen()).toEqual([]);
    sim.connect("classic");
    beat("another's");
    beat();
    expect(sim.seen()).toEqual(["send request-heartbeat another's", "send heartbeat"]);
  });

  test("sends a heartbeat at every interval and reconnects on a new link after three silent ones", () => {
    const sim = new Scenario().connect();
    sim.advance(3_100);
    expect(sim.seen()).toEqual([
      "send heartbeat with an offer",
      "send heartbeat with an offer",
      "close",
      "disconnected: silence",
      "open tcp://a",
    ]);
  });

  test("tries the next address when a link is lost", () => {
    const sim = new Scenario({ addresses: ["tcp://a", "tcp://b"] }).connect();
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100);
    expect(sim.seen()).toEqual(["close", "disconnected: link-down", "open tcp://b"]);
  });

  test("waits longer after each failure", () => {
    const sim = new Scenario({ addresses: ["tcp://a", "tcp://b"] });
    sim.do({ type: "start" }).advance(500 + 100 + 500 + 200);
    expect(sim.seen()).toEqual(["open tcp://a", "close", "open tcp://b", "close", "open tcp://a"]);
  });

  test("is started once, however often start is called", () => {
    const sim = new Scenario();
    sim.do({ type: "start" }).do({ type: "start" });
    expect(sim.seen()).toEqual(["open tcp://a"]);
  });
});

describe("a request", () => {
  test("is sent at once on a link that is up, and ends with its final", () => {
    const sim = new Scenario().connect().request("r1");
    expect(sim.seen()).toEqual(["send request r1"]);
    sim.reply("partial", "r1", "1").reply("partial", "r1", "null").reply("final", "r1", '{"last":true}');
    expect(sim.seen()).toEqual([
      "caller of r1: partial 1",
      "caller of r1: partial null",
      'caller of r1: final {"last":true}',
    ]);
  });

  test("waits for the link, and is sent after the offer without waiting for the answer", () => {
    const sim = new Scenario().request("r1").do({ type: "start" }).request("r2");
    expect(sim.seen()).toEqual(["open tcp://a"]);
    sim.do({ type: "link-up" });
    expect(sim.seen()).toEqual(["send heartbeat with an offer", "send request r1", "send request r2"]);
  });

  test("gets nothing after its end", () => {
    const sim = new Scenario().connect().request("r1").reply("final", "r1", "1");
    sim.seen();
    sim.reply("partial", "r1", "2").reply("final", "r1", "3");
    sim.receive({ type: "failure", requestId: requestId("r1"), failure: failure("BUSY") });
    expect(sim.seen()).toEqual(["report late", "report late", "report late"]);
  });

  test("reads an empty body as null and the bare word as undefined", () => {
    const sim = new Scenario().connect().request("r1").request("r2");
    sim.seen();
    sim.reply("final", "r1", "").reply("final", "r2", "undefined");
    expect(sim.seen()).toEqual(["caller of r1: final null", "caller of r2: final undefined"]);
  });

  test("passes on a heartbeat while it is with the broker, and only then", () => {
    const sim = new Scenario();
    const beat = (id: string): Scenario => sim.do({ type: "request-heartbeat", requestId: requestId(id) });
    sim.request("r1");
    beat("r1");
    expect(sim.seen()).toEqual([]);
    sim.connect();
    beat("r1");
    expect(sim.seen()).toEqual(["send request-heartbeat r1"]);
    sim.reply("final", "r1", "1").seen();
    beat("r1");
    expect(sim.seen()).toEqual([]);
  });

  test("that is open for longer than an interval is kept alive automatically at each heartbeat", () => {
    const sim = new Scenario().connect();
    sim.advance(999).request("r1").advance(1).request("r2").seen();
    sim.reply("final", "r2", "1").seen();
    expect(sim.advance(999).seen()).toEqual([]);
    expect(sim.answer().advance(1).seen()).toEqual(["send heartbeat with an offer", "send request-heartbeat r1"]);
    expect(sim.answer().advance(1_000).seen()).toEqual(["send heartbeat with an offer", "send request-heartbeat r1"]);
  });

  test("is not kept alive at a broker that did not accept the capability", () => {
    const sim = new Scenario().connect("classic").request("r1");
    expect(sim.advance(2_000).seen()).toEqual([
      "send request r1",
      "send heartbeat with an offer",
      "send heartbeat with an offer",
    ]);
  });

  test("shares the heartbeats with others, a thousand at a time", () => {
    const sim = new Scenario({ limits: { maxOpenRequests: 2_500 } }).connect();
    for (let number = 1; number <= 2_500; number++) sim.request(`r${number}`);
    sim.seen();
    const beats = (): string[] => {
      const lines = sim.answer().advance(1_000).seen();
      return lines.filter((line) => line.startsWith("send request-heartbeat"));
    };
    beats();
    const all = [...beats(), ...beats(), ...beats()];
    expect(all).toHaveLength(3_000);
    expect(new Set(all).size).toBe(2_500);
  });

  test("reports progress while it runs", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.receive({ type: "request-heartbeat", requestId: requestId("r1") });
    sim.receive({ type: "request-heartbeat", requestId: requestId("r0") });
    expect(sim.seen()).toEqual(["caller of r1: heartbeat", "report late"]);
  });

  test("that the broker has forgotten is lost, or sent again with retry", () => {
    const sim = new Scenario().connect().request("r1").request("r2", { retry: 1 }).request("r3", { retry: 1 });
    sim.reply("partial", "r3", "1").seen();
    const lost: Failure = { code: "BROKER_LOST", message: "unknown", delivery: "maybe-executed" };
    for (const id of ["r1", "r2", "r3"]) {
      sim.receive({ type: "failure", requestId: requestId(id), failure: lost });
    }
    expect(sim.seen()).toEqual([
      "caller of r1: BROKER_LOST, maybe-executed",
      "caller of r3: BROKER_LOST, maybe-executed",
    ]);
    sim.advance(100);
    expect(sim.seen()).toEqual(["send request r2"]);
  });

  test("may have a property name of Object.prototype as its id", () => {
    const sim = new Scenario().connect().reply("final", "__proto__", "1").reply("final", "constructor", "1");
    expect(sim.seen()).toEqual(["report late", "report late"]);
    sim.request("__proto__1").reply("final", "__proto__", "1").reply("final", "__proto__1", "2");
    expect(sim.seen()).toEqual(["send request __proto__1", "report late", "caller of __proto__1: final 2"]);
  });
});

describe("a failure", () => {
  test("of the broker is passed on unchanged", () => {
    const sim = new Scenario().connect().request("r1");
    sim.receive({ type: "failure", requestId: requestId("r1"), failure: failure("UNAVAILABLE") });
    expect(sim.failures).toEqual([failure("UNAVAILABLE")]);
  });

  test("with the broker's mark comes from the worker, unless the broker marks its own failures", () => {
    const sim = new Scenario().connect("classic").request("r1");
    sim.receive({ type: "failure", requestId: requestId("r1"), failure: failure("BUSY") });
    const { message } = failure("BUSY");
    expect(sim.failures).toEqual([
      { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: failure("BUSY") },
    ]);
  });

  test.each([
    ['{"name":"Error","message":"no such ticker"}', -1, "no such ticker", { name: "Error", message: "no such ticker" }],
    ['"C_TIMEOUT"', -1, "C_TIMEOUT", "C_TIMEOUT"],
    ['{"odd":1}', -1, '{"odd":1}', { odd: 1 }],
    ["false", -1, "false", false],
    ["undefined", -1, 'request r1 to "echo" failed in its worker, which did not say why', undefined],
    ["null", 7, 'request r1 to "echo" failed in its worker with status 7', 7],
  ])(
    "of a worker that answers %s with status %i has a readable message and keeps its detail",
    (json, status, message, detail) => {
      const sim = new Scenario().connect().request("r1").reply("final", "r1", json, status);
      expect(sim.failures).toEqual([{ code: "WORKER_FAILED", message, delivery: "maybe-executed", detail }]);
    },
  );

  test("of a worker quotes no more than 200 characters", () => {
    const sim = new Scenario()
      .connect()
      .request("r1")
      .reply("final", "r1", `"${"x".repeat(1_000)}"`, -1);
    expect(sim.failures[0]?.message).toBe(`${"x".repeat(200)}…`);
  });

  test("in a partial also ends the request at the broker", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.reply("partial", "r1", '"bad"', -1);
    expect(sim.seen()).toEqual(["send cancel r1", "caller of r1: WORKER_FAILED, maybe-executed"]);
  });

  test("to read a body ends the request, and cancels it at the broker if it is open there", () => {
    const sim = new Scenario().connect().request("r1").request("r2");
    sim.seen();
    sim.reply("final", "r1", "{oops").reply("partial", "r2", "{oops");
    expect(sim.seen()).toEqual([
      "caller of r1: INVALID, maybe-executed",
      "send cancel r2",
      "caller of r2: INVALID, maybe-executed",
    ]);
  });

  test("to read a message ends the request that it names, and no other", () => {
    const sim = new Scenario().connect().request("r1").request("r2");
    sim.seen();
    const message = { type: "violation", clause: "P-REP-1", detail: "too short", requestId: requestId("r1") } as const;
    sim.do({ type: "message", message });
    expect(sim.seen()).toEqual(["report violation", "send cancel r1", "caller of r1: INVALID, maybe-executed"]);
    expect(sim.failures[0]?.message).toBe('request r1 to "echo" got a malformed reply: P-REP-1, too short');
  });

  test("does not come from messages that were never negotiated", () => {
    const sim = new Scenario().connect("classic").request("r1");
    sim.seen();
    const id = requestId("r1");
    sim.receive({ type: "notice", requestId: id, state: "queued", worker: peerId("w") });
    sim.receive({ type: "credit", requestId: id, chunks: 1 }).receive({ type: "input-end", requestId: id });
    expect(sim.seen()).toEqual(["report unsupported", "report unsupported", "report unsupported"]);
  });
});

describe("a timeout", () => {
  test("of a request that was never sent starts with the call, and is safe to retry", () => {
    const sim = new Scenario().do({ type: "start" }).request("r1", { timeout: 500 });
    sim.seen();
    sim.advance(499);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, not-sent"]);
    expect(sim.failures[0]?.message).toBe('request r1 to "echo" exceeded its 500 ms timeout');
  });

  test("restarts when the request is sent, and with every partial", () => {
    const sim = new Scenario().do({ type: "start" }).request("r1", { timeout: 500 }).advance(400);
    sim.do({ type: "link-up" }).answer("classic").advance(400).reply("partial", "r1", "1");
    sim.seen();
    sim.advance(499);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
  });

  test("gives a broker that reports failures time to report how far the request got", () => {
    const sim = new Scenario().connect().request("r1", { timeout: 500 });
    sim.seen();
    sim.advance(699);
    sim.receive({ type: "failure", requestId: requestId("r1"), failure: failure("DEADLINE_EXCEEDED") });
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, queued"]);
  });

  test("comes from the client when the broker does not report it in time, and cancels the request", () => {
    const sim = new Scenario().connect().request("r1", { timeout: 500 });
    sim.seen();
    sim.advance(699);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["send cancel r1", "caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
  });

  test("restarts the grace period after a partial that arrived in it", () => {
    const sim = new Scenario().connect().request("r1", { timeout: 500 }).advance(600).reply("partial", "r1", "1");
    sim.seen();
    sim.advance(699);
    expect(sim.seen()).toEqual(["send heartbeat with an offer", "send request-heartbeat r1"]);
    sim.advance(1);
    expect(sim.seen()).toContain("caller of r1: DEADLINE_EXCEEDED, maybe-executed");
  });

  test("does not affect a request that has ended", () => {
    const sim = new Scenario().connect("classic").request("r1", { timeout: 500 }).reply("final", "r1", "1");
    sim.request("r2", { timeout: 500 }).cancel("r2");
    sim.seen();
    sim.advance(900);
    expect(sim.seen()).toEqual([]);
  });

  test("includes the grace period although the broker's answer came after the request was sent", () => {
    const sim = new Scenario().do({ type: "start" }).do({ type: "link-up" }).request("r1", { timeout: 500 });
    sim.advance(100).answer();
    sim.seen();
    sim.advance(599);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toContain("caller of r1: DEADLINE_EXCEEDED, maybe-executed");
  });

  test("of zero expires at once, and of -1 never does", () => {
    const sim = new Scenario().connect("classic").request("r1", { timeout: 0 }).request("r2", { timeout: -1 });
    sim.seen();
    sim.advance(0);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
    for (let day = 0; day < 3; day++) sim.advance(900).answer("classic");
    expect(sim.seen().filter((line) => line.startsWith("caller"))).toEqual([]);
  });
});

describe("a notice", () => {
  const notice = (id: string, state: "queued" | "dispatched", worker?: string): BrokerMessage => ({
    type: "notice",
    requestId: requestId(id),
    state,
    worker: worker === undefined ? undefined : peerId(worker),
  });

  test("reaches the caller, and is ignored after the end", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim
      .receive(notice("r1", "queued"))
      .receive(notice("r1", "dispatched", "W1"))
      .receive(notice("r0", "queued"));
    expect(sim.seen()).toEqual(["caller of r1: queued", "caller of r1: dispatched W1", "report late"]);
  });

  test("is the detail of a failure by the client, and makes no retry safer", () => {
    const sim = new Scenario().connect().request("r1").request("r2", { timeout: 500 }).request("r3");
    sim
      .receive(notice("r1", "queued"))
      .receive(notice("r2", "queued"))
      .receive(notice("r2", "dispatched", "W1"));
    sim.advance(700).do({ type: "link-lost", reason: "link-down" });
    const [late, lost, unknown] = sim.failures;
    expect(late).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "maybe-executed" });
    expect(late?.detail).toEqual({ state: "dispatched", worker: "W1" });
    expect(late?.message).toBe(
      'request r2 to "echo" exceeded its 500 ms timeout; its last notice: dispatched to the worker "W1"',
    );
    expect(lost).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed", detail: { state: "queued" } });
    expect(unknown).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
    expect(unknown).not.toHaveProperty("detail");
  });

  test("does not apply to a request that was sent again", () => {
    const sim = new Scenario()
      .connect()
      .request("r1", { retry: 1 })
      .receive(notice("r1", "dispatched", "W1"));
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" }).answer();
    sim.do({ type: "stop" }).advance(2_000);
    expect(sim.failures[0]).toMatchObject({ code: "CLOSED", delivery: "maybe-executed" });
    expect(sim.failures[0]).not.toHaveProperty("detail");
  });
});

describe("a cancel", () => {
  test("of a request at the broker reaches it", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.cancel("r1").cancel("r1");
    expect(sim.seen()).toEqual(["send cancel r1", "caller of r1: CANCELED, maybe-executed"]);
    expect(sim.failures[0]?.detail).toBe("enough");
  });

  test("of a waiting request ends it without sending it", () => {
    const sim = new Scenario().request("r1").cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, not-sent"]);
    sim.do({ type: "start" }).do({ type: "link-up" });
    expect(sim.seen()).toEqual(["open tcp://a", "send heartbeat with an offer"]);
  });

  test("is not sent to a broker that does not support it", () => {
    const sim = new Scenario().connect("classic").request("r1");
    sim.seen();
    sim.cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, maybe-executed"]);
  });
});

describe("with a stable id, a stored request", () => {
  const stable = { limits: { hasStableId: true } };

  test("waits for the next connection when it is lost, and is sent again there", () => {
    const sim = new Scenario(stable).connect().request("r1", { persist: 1 });
    sim.seen();
    sim.do({ type: "link-lost", reason: "silence" });
    expect(sim.seen()).toEqual(["close", "disconnected: silence"]);
    sim.advance(100).do({ type: "link-up" });
    expect(sim.seen()).toEqual(["open tcp://a", "send heartbeat with an offer", "send request r1"]);
    sim.answer().reply("final", "r1", '"kept"');
    expect(sim.seen()).toEqual(["connected", 'caller of r1: final "kept"']);
  });

  test("waits for a broker that stops", () => {
    const sim = new Scenario(stable).connect().request("r1", { persist: 1 }).request("r2");
    sim.seen();
    const failure: Failure = { code: "CLOSED", message: "the broker stops", delivery: "maybe-executed" };
    for (const id of ["r1", "r2"]) sim.receive({ type: "failure", requestId: requestId(id), failure });
    expect(sim.seen()).toEqual(["caller of r2: CLOSED, maybe-executed"]);
  });

  test("still has its own timeout", () => {
    const sim = new Scenario(stable).connect().request("r1", { persist: 1, timeout: 1_000 });
    sim.do({ type: "link-lost", reason: "link-down" }).seen();
    sim.advance(1_000);
    expect(sim.seen()).toEqual(["open tcp://a", "caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
  });

  test("fails with its connection after a partial, which would arrive twice", () => {
    const sim = new Scenario(stable).connect().request("r1", { persist: 1 }).reply("partial", "r1", "1");
    sim.seen();
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.seen()).toContain("caller of r1: BROKER_LOST, maybe-executed");
  });
});

describe("a broker that stops", () => {
  const closed = (delivery: Failure["delivery"]): Failure => ({
    code: "CLOSED",
    message: "the broker stops",
    delivery,
  });

  test("returns requests with retry, which the client sends to the next broker", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 }).request("r2");
    sim.seen();
    for (const id of ["r1", "r2"])
      sim.receive({ type: "failure", requestId: requestId(id), failure: closed("queued") });
    expect(sim.seen()).toEqual(["caller of r2: CLOSED, queued"]);
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" });
    expect(sim.seen()).toContain("send request r1");
    sim.answer().reply("final", "r1", '"done"');
    expect(sim.seen()).toContain('caller of r1: final "done"');
  });

  test("ends requests with retry after a partial, and stored requests", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 }).request("r2", { retry: 1, persist: 1 });
    sim.reply("partial", "r1", "1").seen();
    for (const id of ["r1", "r2"])
      sim.receive({ type: "failure", requestId: requestId(id), failure: closed("maybe-executed") });
    expect(sim.seen()).toEqual(["caller of r1: CLOSED, maybe-executed", "caller of r2: CLOSED, maybe-executed"]);
  });
});

describe("P-LOST-4: a broker that fails the same request again and again", () => {
  const failure = (code: Failure["code"], delivery: Failure["delivery"] = "maybe-executed"): BrokerMessage => ({
    type: "failure",
    requestId: requestId("r1"),
    failure: { code, message: "not here", delivery },
  });

  test.each(["BROKER_LOST", "CLOSED"] as const)("with %s gets it again after longer and longer pauses", (code) => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    for (const pauseMs of [100, 200, 400, 400]) {
      sim.seen();
      sim.receive(failure(code)).advance(pauseMs - 1);
      expect(sim.seen().filter((line) => line.startsWith("send request "))).toEqual([]);
      sim.advance(1);
      expect(sim.seen()).toContain("send request r1");
    }
  });

  test.each([
    [1, 10],
    [2, 2],
    [3, 3],
  ])("gets it, with a retry of %i, %i times in all", (retry, attempts) => {
    const sim = new Scenario().connect().request("r1", { retry, timeout: 60_000 });
    for (let attempt = 1; attempt < attempts; attempt++) sim.receive(failure("BROKER_LOST")).advance(400).answer();
    expect(sim.failures).toEqual([]);
    expect(sim.seen().filter((line) => line === "send request r1")).toHaveLength(attempts);
    sim.receive(failure("BROKER_LOST")).advance(900);
    expect(sim.seen()[0]).toBe("caller of r1: BROKER_LOST, maybe-executed");
    expect(sim.failures[0]?.message).toBe(`not here; it was sent ${attempts} times`);
  });

  test("gets it no earlier because a heartbeat is due", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 }).advance(950);
    sim.receive(failure("CLOSED")).seen();
    sim.advance(99);
    expect(sim.seen()).toEqual(["send heartbeat with an offer"]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["send request r1"]);
  });

  test("and is lost during the pause is followed by a broker that gets it at once, and once", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    sim.receive(failure("BROKER_LOST")).do({ type: "link-lost", reason: "link-down" }).advance(400).seen();
    sim.do({ type: "link-up" }).answer().advance(400);
    expect(sim.seen().filter((line) => line.startsWith("send request "))).toEqual(["send request r1"]);
  });

  test("does not delay the timeout of the request, nor its cancel", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1, timeout: 50 }).receive(failure("BROKER_LOST"));
    sim.seen();
    sim.advance(50);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
    sim.advance(900);
    expect(sim.seen()).toEqual([]);
  });

  test("does not make it safer to retry than its first answer did", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    sim.receive(failure("BROKER_LOST")).advance(100).receive(failure("UNAVAILABLE", "not-sent"));
    expect(sim.failures[0]).toMatchObject({ code: "UNAVAILABLE", delivery: "maybe-executed" });
  });
});

describe("a lost broker", () => {
  test("gets a request no more often than its retry says, over all connections", () => {
    const sim = new Scenario().connect().request("r1", { retry: 2, timeout: 60_000 });
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" }).answer();
    expect(sim.seen()).toContain("send request r1");
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.seen()).toContain("caller of r1: BROKER_LOST, maybe-executed");
    expect(sim.failures[0]?.message).toBe(
      'request r1 to "echo" lost its broker: the link went down; it was sent 2 times',
    );
  });

  test("has not had a request that its link returned, which is no attempt", () => {
    const sim = new Scenario().connect().request("r1", { retry: 2, timeout: 60_000 });
    sim.do({ type: "undelivered", requestId: requestId("r1") }).do({ type: "link-lost", reason: "link-down" });
    sim.advance(100).do({ type: "link-up" }).answer().do({ type: "link-lost", reason: "link-down" });
    sim.advance(100).do({ type: "link-up" }).answer().seen();
    sim.reply("final", "r1", "1");
    expect(sim.seen()).toEqual(["caller of r1: final 1"]);
  });

  test("fails at once the requests that were sent without retry", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.seen()).toEqual(["close", "disconnected: link-down", "caller of r1: BROKER_LOST, maybe-executed"]);
    expect(sim.failures[0]?.message).toBe('request r1 to "echo" lost its broker: the link went down');
  });

  test("gets the requests with retry again, under the same ids and before later ones", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    sim.do({ type: "link-lost", reason: "link-down" }).request("r2").advance(100);
    sim.seen();
    sim.do({ type: "link-up" });
    expect(sim.seen()).toEqual(["send heartbeat with an offer", "send request r1", "send request r2"]);
    sim.reply("final", "r1", "1");
    expect(sim.seen()).toEqual(["connected", "caller of r1: final 1"]);
  });

  test("does not restart a stream", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 }).reply("partial", "r1", "1");
    sim.seen();
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.seen()).toContain("caller of r1: BROKER_LOST, maybe-executed");
  });

  test("leaves a request that is sent again its remaining timeout and its delivery class", () => {
    const sim = new Scenario().connect("classic").request("r1", { retry: 1, timeout: 500 }).advance(300);
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" });
    sim.seen();
    sim.advance(99);
    expect(sim.seen()).toEqual([]);
    sim.advance(1);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, maybe-executed"]);
  });

  test("ends what was negotiated with it", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" });
    sim.seen();
    sim.cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, maybe-executed"]);
  });
});

describe("P-NEG-5: a client that waits for an announcement", () => {
  test("offers only to brokers that make it, on each connection", () => {
    const sim = new Scenario({ negotiate: "announced" }).do({ type: "start" });
    const greetings = [undefined, "pigato/1", "pigato/2"].map((announcement) => {
      sim.seen();
      const [greeting] = sim.do({ type: "link-up", announcement }).seen();
      sim.do({ type: "link-lost", reason: "link-down" }).advance(400);
      return greeting;
    });
    expect(greetings).toEqual(["send heartbeat", "send heartbeat with an offer", "send heartbeat"]);
  });
});

describe("P-SIZE-1: a broker", () => {
  const accepts = (maxFrameBytes: number): BrokerMessage => ({
    type: "heartbeat",
    accepted: { ...NO_CAPABILITIES, error: true, maxFrameBytes },
  });

  test("gets no request that is larger than it accepts, which fails and leaves the others alone", () => {
    const sim = new Scenario().connect().request("r1").receive(accepts(10_000));
    sim.seen();
    sim.request("r2", {}, new Uint8Array(10_001));
    expect(sim.failures).toEqual([
      {
        code: "INVALID",
        message:
          'request r2 to "echo" is too large for the broker: a frame of 10001 bytes; the bound is 10000 (maxFrameBytes)',
        delivery: "not-sent",
      },
    ]);
    sim.request("r3", {}, new Uint8Array(10_000)).reply("final", "r1", "1");
    expect(sim.seen()).toEqual([expect.stringContaining("INVALID"), "send request r3", "caller of r1: final 1"]);
  });

  test("gets no request whose data was not encoded, because it is too large", () => {
    const sim = new Scenario().connect().receive(accepts(10_000));
    expect(sim.session.knownBounds).toMatchObject({ maxFrameBytes: 10_000 });
    sim.seen();
    sim.request("r1", { excess: "data of at least 10001 bytes" });
    expect(sim.failures).toEqual([
      {
        code: "INVALID",
        message: 'request r1 to "echo" is too large for the broker: data of at least 10001 bytes',
        delivery: "not-sent",
      },
    ]);
    expect(sim.seen()).toEqual([expect.stringContaining("INVALID")]);
  });

  test("has no known bounds before it has answered, and after its connection is lost", () => {
    const sim = new Scenario();
    expect(sim.session.knownBounds).toBeUndefined();
    sim.connect().receive(accepts(10_000));
    expect(sim.session.knownBounds).toBeDefined();
    sim.do({ type: "link-lost", reason: "link-down" });
    expect(sim.session.knownBounds).toBeUndefined();
    sim.advance(100).do({ type: "link-up" }).receive({ type: "heartbeat", accepted: NO_CAPABILITIES });
    expect(sim.session.knownBounds).toEqual(DEFAULT_SIZE_BOUNDS);
  });

  test("that accepts less than the one before gets a request no second time if it is too large", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 }, new Uint8Array(20_000));
    sim.do({ type: "link-lost", reason: "link-down" });
    sim.advance(100).do({ type: "link-up" }).receive(accepts(10_000)).seen();
    sim.do({ type: "undelivered", requestId: requestId("r1") }).advance(1_000);
    expect(sim.failures[0]).toMatchObject({ code: "INVALID", delivery: "maybe-executed" });
  });

  test("that announces nothing accepts 64 MiB, whatever the last one did", () => {
    const sim = new Scenario().connect().receive(accepts(10_000)).do({ type: "link-lost", reason: "link-down" });
    sim.advance(100).do({ type: "link-up" }).answer("classic").seen();
    sim.request("r1", {}, new Uint8Array(64 * 1024 * 1024)).request("r2", {}, new Uint8Array(64 * 1024 * 1024 + 1));
    expect(sim.seen()).toEqual(["send request r1", expect.stringContaining("INVALID, not-sent")]);
  });

  test("gets what this client accepts, if that is not the default", () => {
    const sizeBounds = { maxFrameBytes: 1024, maxMessageBytes: 256 * 1024 * 1024 };
    expect(offerIn(new Scenario({ sizeBounds }))).toMatchObject({ maxFrameBytes: 1024, maxMessageBytes: undefined });
    expect(offerIn(new Scenario())).toMatchObject({ maxFrameBytes: undefined, maxMessageBytes: undefined });
  });

  function offerIn({ session }: Scenario): unknown {
    session.handle({ type: "start" }, 0);
    const [sent] = session.handle({ type: "link-up" }, 0);
    return sent?.type === "send" && sent.message.type === "heartbeat" ? sent.message.offer : undefined;
  }
});

describe("a link", () => {
  test("that is full fails a new request, which is safe to retry", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.do({ type: "send-failed", message: "request", requestId: requestId("r1") });
    expect(sim.seen()).toEqual(["caller of r1: BUSY, not-sent"]);
  });

  test("that returns a request gets it again with the next heartbeat", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.do({ type: "undelivered", requestId: requestId("r1") }).advance(1_000);
    expect(sim.seen()).toEqual(["send heartbeat with an offer", "send request r1"]);
  });

  test("that returned a request sends no cancel for it", () => {
    const sim = new Scenario().connect().request("r1");
    sim.seen();
    sim.do({ type: "undelivered", requestId: requestId("r1") }).cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, not-sent"]);
  });

  test("that returned a request gives the broker no grace period for its timeout", () => {
    const sim = new Scenario().connect().request("r1", { timeout: 500 });
    sim.seen();
    sim.do({ type: "undelivered", requestId: requestId("r1") }).advance(500);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, not-sent"]);
  });

  test("that returned a request does not lose it with the broker", () => {
    const sim = new Scenario().connect().request("r1");
    sim.do({ type: "undelivered", requestId: requestId("r1") }).do({ type: "link-lost", reason: "link-down" });
    sim.seen();
    sim.cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, not-sent"]);
  });

  test("that returns a request keeps the delivery class of an earlier link", () => {
    const sim = new Scenario().connect().request("r1", { retry: 1 });
    sim.do({ type: "link-lost", reason: "link-down" }).advance(100).do({ type: "link-up" });
    sim.do({ type: "undelivered", requestId: requestId("r1") });
    sim.seen();
    sim.cancel("r1");
    expect(sim.seen()).toEqual(["caller of r1: CANCELED, maybe-executed"]);
  });
});

describe("a bound", () => {
  test("on waiting requests rejects the next one until there is room", () => {
    const sim = new Scenario({ limits: { maxQueuedRequests: 1 } }).request("r1").request("r2");
    expect(sim.seen()).toEqual(["caller of r2: BUSY, not-sent"]);
    expect(sim.failures[0]?.message).toContain("1 requests wait to be sent, the most that maxQueuedRequests allows");
    sim.connect().request("r3");
    expect(sim.seen()).toEqual(["send request r3"]);
  });

  test("on open requests rejects the next one until one has ended", () => {
    const sim = new Scenario({ limits: { maxOpenRequests: 1 } }).connect().request("r1").request("r2");
    expect(sim.seen()).toEqual(["send request r1", "caller of r2: BUSY, not-sent"]);
    sim.reply("final", "r1", "1").request("r3");
    expect(sim.seen()).toEqual(["caller of r1: final 1", "send request r3"]);
  });
});

describe("a stop", () => {
  test("without open requests sends DISCONNECT and ends at once", () => {
    const sim = new Scenario().connect().request("r1").reply("final", "r1", "1");
    sim.seen();
    sim.do({ type: "stop" });
    expect(sim.seen()).toEqual(["send disconnect", "flush and close", "disconnected: disconnected", "stopped"]);
    expect(sim.session.nextDeadline()).toBeUndefined();
  });

  test("sends no DISCONNECT to a broker that did not answer the offer", () => {
    const sim = new Scenario().connect("classic").do({ type: "stop" });
    expect(sim.seen()).toEqual(["flush and close", "disconnected: disconnected", "stopped"]);
  });

  test("sends no DISCONNECT to a broker that came after one that answered the offer", () => {
    const sim = new Scenario().connect().do({ type: "link-lost", reason: "link-down" }).advance(100);
    sim.do({ type: "link-up" }).answer("classic").seen();
    sim.do({ type: "stop" });
    expect(sim.seen()).toEqual(["flush and close", "disconnected: disconnected", "stopped"]);
  });

  test("waits for open requests, and rejects new ones", () => {
    const sim = new Scenario().connect().request("r1").do({ type: "stop" }).request("r2");
    expect(sim.seen()).toEqual(["send request r1", "caller of r2: CLOSED, not-sent"]);
    sim.reply("partial", "r1", "1").reply("final", "r1", "2");
    expect(sim.seen()).toEqual([
      "caller of r1: partial 1",
      "caller of r1: final 2",
      "send disconnect",
      "flush and close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("fails the requests that are still open at its timeout", () => {
    const sim = new Scenario().connect().request("r1").do({ type: "stop" }).do({ type: "stop" });
    sim.seen();
    sim.advance(2_000);
    expect(sim.seen()).toEqual([
      "send heartbeat with an offer",
      "send request-heartbeat r1",
      "send heartbeat with an offer",
      "send request-heartbeat r1",
      "caller of r1: CLOSED, maybe-executed",
      "send disconnect",
      "flush and close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("before the first start fails the waiting requests", () => {
    const sim = new Scenario().request("r1").do({ type: "stop" });
    expect(sim.seen()).toEqual(["caller of r1: CLOSED, not-sent", "stopped"]);
  });

  test("without a broker ends with the last request", () => {
    const sim = new Scenario().do({ type: "start" }).request("r1", { timeout: 500 }).do({ type: "stop" });
    sim.seen();
    sim.advance(500);
    expect(sim.seen()).toEqual(["caller of r1: DEADLINE_EXCEEDED, not-sent", "flush and close", "stopped"]);
  });

  test("is followed by a successful start", () => {
    const sim = new Scenario().connect().do({ type: "stop" }).request("r1");
    expect(sim.seen()).toContain("caller of r1: CLOSED, not-sent");
    sim.connect().request("r2").reply("final", "r2", "1");
    expect(sim.seen()).toEqual(["send request r2", "caller of r2: final 1"]);
  });
});

function failure(code: Failure["code"]): Failure {
  return { code, message: `the broker says ${code}`, delivery: "queued" };
}

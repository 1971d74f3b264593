import type { LossReason } from "@pigato/peer/session";
import { type Failure, requestId, serviceName, writeText } from "@pigato/protocol";
import { type Instant, parseRequestOptions } from "@pigato/protocol/internal";
import { CoreAlarm } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { BrokerMessage, Effect, RequestMessage } from "./effects.ts";
import { majordomoSession } from "./majordomo.ts";
import type { Session } from "./session.ts";

interface Settings {
  readonly addresses?: readonly string[];
  readonly maxQueuedRequests?: number;
}

/** A session, a clock that the test controls, and the effects as lines. */
class Scenario {
  readonly session: Session;
  readonly #alarm: CoreAlarm;
  readonly failures: Failure[] = [];
  readonly #callers = new Map<number, string>();
  #lines: string[] = [];
  #now: Instant = 0;

  constructor({ addresses = ["tcp://a"], maxQueuedRequests = 10 }: Settings = {}) {
    const limits = { maxQueuedRequests, maxOpenRequests: 12 };
    this.session = majordomoSession(sessionOptions({ connection: { addresses }, limits }));
    this.#alarm = new CoreAlarm(this.session);
  }

  do(input: Parameters<Session["handle"]>[0]): this {
    for (const effect of this.session.handle(input, this.#now)) this.#lines.push(this.#line(effect));
    this.#alarm.onHandled(input);
    return this;
  }

  start(): this {
    return this.do({ type: "start" });
  }

  stop(): this {
    return this.do({ type: "stop" });
  }

  linkUp(): this {
    return this.do({ type: "link-up" });
  }

  linkLost(reason: LossReason = "link-down"): this {
    return this.do({ type: "link-lost", reason });
  }

  /** Advances the clock, with a tick at every deadline. */
  advance(ms: number): this {
    this.#now = this.#alarm.advance(this.#now, ms, (at) => {
      this.#now = at;
      this.do({ type: "tick" });
    });
    return this;
  }

  request(id: string, timeout = 5_000): this {
    const message: RequestMessage = {
      type: "request",
      service: serviceName("echo"),
      requestId: requestId(id),
      body: [writeText('"data"')],
      trailer: [],
      options: parseRequestOptions(JSON.stringify({ timeout })),
    };
    const call = callOf(message.requestId);
    this.#callers.set(call, id);
    return this.do({ type: "request", call, message, isPaced: false });
  }

  cancel(id: string): this {
    return this.do({ type: "cancel", requestId: requestId(id), reason: "enough" });
  }

  receive(message: BrokerMessage): this {
    return this.do({ type: "message", message });
  }

  reply(type: "partial" | "final", texts: string | string[], service = "echo"): this {
    const body = [texts].flat().map((text) => writeText(text));
    return this.receive({
      type,
      requestId: requestId(""),
      status: 0,
      body,
      trailer: [],
      service: serviceName(service),
    });
  }

  /** The lines since the last call. */
  seen(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  connected(): this {
    this.start().linkUp().seen();
    return this;
  }

  #line(effect: Effect): string {
    switch (effect.type) {
      case "open":
        return `open ${effect.address}`;
      case "send":
        return effect.message.type === "request" ? `send ${effect.message.requestId}` : `send ${effect.message.type}`;
      case "partial":
      case "final":
        return `${this.#callers.get(effect.call)}: ${effect.type} ${JSON.stringify(effect.value)}`;
      case "failed":
        this.failures.push(effect.failure);
        return `${this.#callers.get(effect.call)}: ${effect.failure.code}, ${effect.failure.delivery}`;
      case "disconnected":
        return `disconnected: ${effect.reason}`;
      case "report":
        return effect.event.type === "violation" ? `report ${effect.event.violation.clause}` : effect.event.type;
      default:
        return effect.type;
    }
  }
}

describe("D-PEER-2: a connection", () => {
  test("counts as connected when the link is up, and sends only requests", () => {
    const sim = new Scenario().start();
    expect(sim.seen()).toEqual(["open tcp://a"]);
    expect(sim.linkUp().seen()).toEqual(["connected"]);
    expect(sim.advance(3_600_000).seen()).toEqual([]);
    expect(sim.session.nextDeadline()).toBeUndefined();
  });

  test("reconnects when its link is lost, with growing pauses until the broker sends a message", () => {
    const sim = new Scenario().connected();
    sim.linkLost().advance(100).linkUp().linkLost().advance(199);
    expect(sim.seen()).toEqual([
      "close",
      "disconnected: link-down",
      "open tcp://a",
      "connected",
      "close",
      "disconnected: link-down",
    ]);
    expect(sim.advance(1).seen()).toEqual(["open tcp://a"]);
    sim.linkUp().request("r1").reply("final", "1").linkLost().seen();
    expect(sim.advance(100).seen()).toEqual(["open tcp://a"]);
  });

  test("that is lost fails only the request that the broker has", () => {
    const sim = new Scenario().connected().request("r1").request("r2");
    expect(sim.linkLost().seen()).toEqual([
      "send r1",
      "close",
      "disconnected: link-down",
      "r1: BROKER_LOST, maybe-executed",
    ]);
    expect(sim.advance(100).linkUp().seen()).toEqual(["open tcp://a", "connected", "send r2"]);
  });
});

describe("D-PEER-1: one request is with the broker at a time", () => {
  test("and the next one is sent after its final", () => {
    const sim = new Scenario().connected().request("r1").request("r2").request("r3");
    expect(sim.seen()).toEqual(["send r1"]);
    sim.reply("partial", "1").reply("final", "2").reply("final", "3");
    expect(sim.seen()).toEqual(["r1: partial 1", "r1: final 2", "send r2", "r2: final 3", "send r3"]);
  });

  test("those made before the link is up are sent in order", () => {
    const sim = new Scenario().start().request("r1").request("r2").linkUp().reply("final", "1");
    expect(sim.seen()).toEqual(["open tcp://a", "connected", "send r1", "r1: final 1", "send r2"]);
  });

  test("waiting requests are bounded, and a request that need not wait does not count", () => {
    const sim = new Scenario({ maxQueuedRequests: 1 }).connected().request("r1").request("r2").request("r3");
    expect(sim.seen()).toEqual(["send r1", "r3: BUSY, not-sent"]);
    expect(sim.failures[0]?.message).toMatch("1 requests wait to be sent");
    const none = new Scenario({ maxQueuedRequests: 0 }).connected().request("r1").request("r2");
    expect(none.seen()).toEqual(["send r1", "r2: BUSY, not-sent"]);
  });

  test("open requests are bounded", () => {
    const sim = new Scenario({ maxQueuedRequests: 100 }).connected();
    for (let number = 1; number <= 13; number++) sim.request(`r${number}`);
    expect(sim.seen()).toEqual(["send r1", "r13: BUSY, not-sent"]);
    expect(sim.failures[0]?.message).toMatch("maxOpenRequests");
  });

  test("hundreds of requests are sent in order, even if some of them ended early", () => {
    const sim = new Scenario({ maxQueuedRequests: 100 }).connected();
    for (let number = 1; number <= 900; number += 3) {
      sim
        .request(`r${number}`)
        .request(`r${number + 1}`)
        .cancel(`r${number + 1}`)
        .request(`r${number + 2}`);
      sim.reply("final", "1").reply("final", "2");
    }
    const sent = sim.seen().filter((line) => line.startsWith("send"));
    const numbers = Array.from({ length: 900 }, (_, index) => index + 1).filter((number) => number % 3 !== 2);
    expect(sent).toEqual(numbers.map((number) => `send r${number}`));
  });

  test("a request that cannot be sent fails, and the next one is sent", () => {
    const sim = new Scenario().connected().request("r1").request("r2");
    sim.do({ type: "send-failed", message: "request", requestId: requestId("r1") });
    expect(sim.seen()).toEqual(["send r1", "r1: BUSY, not-sent", "send r2"]);
  });

  test("a request that the link returns is sent again on a new link", () => {
    const sim = new Scenario().connected().request("r1");
    sim
      .do({ type: "undelivered", requestId: requestId("") })
      .advance(100)
      .linkUp();
    expect(sim.seen()).toEqual([
      "send r1",
      "close",
      "disconnected: unreachable",
      "open tcp://a",
      "connected",
      "send r1",
    ]);
  });
});

describe("D-PEER-2: a request that ends early closes its link, because its late reply could match the next request", () => {
  test("so a timeout opens a new link at once, to the next address", () => {
    const sim = new Scenario({ addresses: ["tcp://a", "tcp://b"] }).connected().request("r1", 1_000).request("r2");
    sim.advance(1_000);
    expect(sim.seen()).toEqual([
      "send r1",
      "r1: DEADLINE_EXCEEDED, maybe-executed",
      "close",
      "disconnected: abandoned",
      "open tcp://b",
    ]);
    expect(sim.linkUp().seen()).toEqual(["connected", "send r2"]);
  });

  test("and so does a cancel by the caller", () => {
    const sim = new Scenario().connected().request("r1").cancel("r1");
    expect(sim.seen()).toEqual([
      "send r1",
      "r1: CANCELED, maybe-executed",
      "close",
      "disconnected: abandoned",
      "open tcp://a",
    ]);
  });

  test("a waiting request ends without a new link, and was not sent", () => {
    const sim = new Scenario().connected().request("r1").request("r2", 100).request("r3").cancel("r3").advance(100);
    expect(sim.seen()).toEqual(["send r1", "r3: CANCELED, not-sent", "r2: DEADLINE_EXCEEDED, not-sent"]);
    expect(sim.reply("final", "1").seen()).toEqual(["r1: final 1"]);
  });

  test("a partial restarts the timeout", () => {
    const sim = new Scenario().connected().request("r1", 1_000).advance(900).reply("partial", "1").advance(999);
    expect(sim.seen()).toEqual(["send r1", "r1: partial 1"]);
    expect(sim.advance(1).seen()[0]).toBe("r1: DEADLINE_EXCEEDED, maybe-executed");
  });

  test("the timeout of a request that waited starts when it is sent", () => {
    const sim = new Scenario().connected().request("r1").request("r2", 1_000).advance(900).reply("final", "1");
    expect(sim.advance(999).seen()).toEqual(["send r1", "r1: final 1", "send r2"]);
    expect(sim.advance(1).seen()[0]).toBe("r2: DEADLINE_EXCEEDED, maybe-executed");
  });
});

describe("D-PEER-4: a body", () => {
  test.each([
    ['{"a":1}', { a: 1 }],
    ["200", 200],
    ["plain text", "plain text"],
    ["", ""],
    ["undefined", "undefined"],
    [
      ["1", "two", ""],
      [1, "two", ""],
    ],
  ])("%j is %j", (texts, value) => {
    const sim = new Scenario().connected().request("r1").reply("final", texts);
    expect(sim.seen()).toEqual(["send r1", `r1: final ${JSON.stringify(value)}`]);
  });
});

describe("D-PEER-5: a reply without a request", () => {
  test("is reported and dropped: a reply without a request, or of another service", () => {
    const sim = new Scenario().connected().reply("final", "1").request("r1").reply("final", "2", "other");
    expect(sim.seen()).toEqual(["report D-PEER-5", "send r1", "report D-PEER-5"]);
    expect(sim.reply("final", "3").reply("final", "4").seen()).toEqual(["r1: final 3", "report D-PEER-5"]);
  });

  test("is reported and dropped: frames that are not a message to a client", () => {
    const sim = new Scenario().connected().request("r1");
    sim.do({ type: "message", message: { type: "violation", clause: "D-MDP-1", detail: "odd" } });
    sim.receive({ type: "heartbeat", accepted: undefined });
    expect(sim.seen()).toEqual(["send r1", "report D-MDP-1", "unsupported"]);
  });

  test("a client cannot send heartbeats", () => {
    const sim = new Scenario().connected().request("r1");
    sim.do({ type: "heartbeat", requestId: undefined });
    sim.do({ type: "request-heartbeat", requestId: requestId("r1") });
    expect(sim.seen()).toEqual(["send r1"]);
  });
});

describe("stopping", () => {
  test("finishes the open requests one after the other, and rejects new ones", () => {
    const sim = new Scenario().connected().request("r1").request("r2").stop().request("r3").reply("final", "1");
    expect(sim.seen()).toEqual(["send r1", "r3: CLOSED, not-sent", "r1: final 1", "send r2"]);
    expect(sim.reply("final", "2").seen()).toEqual(["r2: final 2", "close", "disconnected: disconnected", "stopped"]);
  });

  test("fails the remaining requests at its timeout", () => {
    const sim = new Scenario().connected().request("r1").request("r2").stop().advance(2_000);
    expect(sim.seen()).toEqual([
      "send r1",
      "r1: CLOSED, maybe-executed",
      "r2: CLOSED, not-sent",
      "close",
      "disconnected: disconnected",
      "stopped",
    ]);
    expect(sim.session.nextDeadline()).toBeUndefined();
  });

  test("opens no new link without a request", () => {
    const sim = new Scenario().connected().request("r1").stop().cancel("r1");
    expect(sim.seen()).toEqual([
      "send r1",
      "r1: CANCELED, maybe-executed",
      "close",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("works before a start, and a start works after it", () => {
    const sim = new Scenario().request("r1").stop();
    expect(sim.seen()).toEqual(["r1: CLOSED, not-sent", "stopped"]);
    expect(sim.start().linkUp().request("r2").seen()).toEqual(["open tcp://a", "connected", "send r2"]);
  });
});

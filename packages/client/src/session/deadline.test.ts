// What varies from request to request at a client's session: its deadline, the time that it may wait for a connection, its headers.

import {
  type Capabilities,
  type Failure,
  NO_CAPABILITIES,
  readText,
  requestId,
  serviceName,
  writeText,
} from "@pigato/protocol";
import { type Instant, parseRequestOptions, writeHeaders } from "@pigato/protocol/internal";
import { CoreAlarm } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { Effect, Input, RequestMessage } from "./effects.ts";
import { pigatoSession } from "./pigato.ts";

const FULL = { cancel: true, error: true, methods: true, deadline: true, headers: true };

interface Fields {
  readonly deadlineMs?: number;
  readonly headers?: string;
  readonly options?: string;
}

class Scenario {
  readonly #session = pigatoSession(sessionOptions({ connection: { heartbeatMs: 60_000, connectTimeoutMs: 60_000 } }));
  readonly #alarm = new CoreAlarm(this.#session);
  readonly sent: RequestMessage[] = [];
  readonly failures: Failure[] = [];
  #now: Instant = 1_000;

  connect(accepted: Partial<Capabilities> | undefined = FULL): this {
    this.do({ type: "start" }).do({ type: "link-up", announcement: undefined });
    const capabilities = accepted && { ...NO_CAPABILITIES, ...accepted };
    return this.do({ type: "message", message: { type: "heartbeat", accepted: capabilities } });
  }

  request(id: string, { deadlineMs, headers, options = "{}" }: Fields): this {
    const message = {
      type: "request",
      service: serviceName("echo"),
      requestId: requestId(id),
      body: [writeText("1")],
      trailer: [writeText(options), ...(headers === undefined ? [] : [writeHeaders(headers)])],
      hasHeaders: headers !== undefined,
      deadlineMs,
      options: { ...parseRequestOptions(options), maxAttempts: undefined },
    } as const;
    return this.do({ type: "request", call: callOf(message.requestId), message, isPaced: false });
  }

  partial(id: string): this {
    const message = {
      type: "partial",
      requestId: requestId(id),
      status: 0,
      body: [writeText("1")],
      trailer: [],
    } as const;
    return this.do({ type: "message", message });
  }

  do(input: Input): this {
    for (const effect of this.#session.handle(input, this.#now)) this.#see(effect);
    this.#alarm.onHandled(input);
    return this;
  }

  advance(ms: number): this {
    this.#now = this.#alarm.advance(this.#now, ms, (at) => {
      this.#now = at;
      this.do({ type: "tick" });
    });
    return this;
  }

  get shown(): string[] {
    return this.sent.map(({ deadlineMs, hasHeaders, trailer }) =>
      [deadlineMs, hasHeaders === true, ...trailer.map(readText)].join(" "),
    );
  }

  get ended(): string[] {
    return this.failures.map(({ code, delivery }) => `${code} ${delivery}`);
  }

  #see(effect: Effect): void {
    if (effect.type === "failed") this.failures.push(effect.failure);
    if (effect.type === "send" && effect.message.type === "request") this.sent.push(effect.message);
  }
}

describe("a deadline", () => {
  test("travels as the time that is left, to a broker that negotiated it", () => {
    const sim = new Scenario()
      .request("c-1", { deadlineMs: 500.5, options: '{"timeout":60000}' })
      .advance(100)
      .connect();
    expect(sim.shown).toEqual(['400 false {"timeout":60000}']);
  });

  test("waits for the broker's answer, because only that shows whether it can travel", () => {
    const sim = new Scenario().do({ type: "start" }).do({ type: "link-up", announcement: undefined });
    sim.request("c-1", { deadlineMs: 500 }).request("c-2", {});
    expect(sim.sent.map((message) => message.requestId)).toEqual(["c-2"]);
    sim.do({ type: "message", message: { type: "heartbeat", accepted: undefined } });
    expect(sim.shown.at(-1)).toBe(" false {}");
  });

  test("ends a request that was not sent, without a connection", () => {
    const sim = new Scenario().do({ type: "start" }).request("c-1", { deadlineMs: 500 }).advance(499);
    expect(sim.failures).toEqual([]);
    sim.advance(1);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED not-sent"]);
    expect(sim.failures[0]?.message).toBe('request c-1 to "echo" exceeded its deadline of 500 ms');
  });

  test("is enforced by the client alone if the broker lacks it, at once", () => {
    const sim = new Scenario().connect({ error: true, cancel: true }).request("c-1", { deadlineMs: 500 }).advance(500);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED maybe-executed"]);
  });

  test("leaves the broker a grace to say how far the request got, which partials do not extend", () => {
    const sim = new Scenario().connect().request("c-1", { deadlineMs: 500 }).advance(650).partial("c-1");
    expect(sim.failures).toEqual([]);
    sim.advance(49).partial("c-1");
    expect(sim.failures).toEqual([]);
    sim.advance(1);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED maybe-executed"]);
  });

  test("is not restarted by partials, which restart the timeout", () => {
    const sim = new Scenario().connect({ error: true }).request("c-1", { deadlineMs: 500, options: '{"timeout":300}' });
    sim.advance(250).partial("c-1").advance(249).partial("c-1");
    expect(sim.failures).toEqual([]);
    sim.advance(1);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED maybe-executed"]);
  });

  test("of 0 ends the request before it is sent", () => {
    const sim = new Scenario().connect().request("c-1", { deadlineMs: 0 });
    expect(sim.sent).toEqual([]);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED not-sent"]);
  });

  test("counts over all attempts: what is left travels with each", () => {
    const sim = new Scenario().connect().request("c-1", { deadlineMs: 5_000, options: '{"retry":1}' });
    sim.advance(1_000).do({ type: "link-lost", reason: "link-down" }).advance(100);
    sim.do({ type: "link-up", announcement: undefined });
    sim.do({ type: "message", message: { type: "heartbeat", accepted: { ...NO_CAPABILITIES, ...FULL } } });
    expect(sim.sent.map(({ deadlineMs }) => deadlineMs)).toEqual([5_000, 3_900]);
    sim.advance(4_100);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED maybe-executed"]);
  });
});

describe("acceptTimeout", () => {
  test("ends a request that waits too long for a connection, which is safe to retry", () => {
    const sim = new Scenario().do({ type: "start" }).request("c-1", { options: '{"acceptTimeout":250}' }).advance(250);
    expect(sim.ended).toEqual(["UNAVAILABLE not-sent"]);
    expect(sim.failures[0]?.message).toBe('request c-1 to "echo" was not sent in 250 ms (acceptTimeout)');
  });

  test("does not count once the request was sent", () => {
    const sim = new Scenario()
      .request("c-1", { options: '{"acceptTimeout":250,"timeout":1000}' })
      .advance(200)
      .connect();
    sim.advance(999);
    expect(sim.failures).toEqual([]);
  });

  test.each([{}, { cancel: true, error: true }])(
    "P-FAIL-7: fails with what is missing at a broker that does not know it, before and after its answer",
    (accepted) => {
      const detail = { missing: "methods", peer: "broker" };
      const sim = new Scenario().request("c-1", { options: '{"acceptTimeout":250}' }).connect(accepted);
      sim.request("c-2", { options: '{"acceptTimeout":0}' }).request("c-3", {});
      expect(sim.ended).toEqual(["INVALID not-sent", "INVALID not-sent"]);
      expect(sim.failures).toMatchObject([{ detail }, { detail }]);
      expect(sim.sent).toHaveLength(1);
    },
  );

  test("does not extend a timeout or a deadline that ends earlier", () => {
    const sim = new Scenario().request("c-1", { options: '{"acceptTimeout":250,"timeout":100}' });
    sim.request("c-2", { deadlineMs: 100, options: '{"acceptTimeout":250}' }).advance(300);
    expect(sim.ended).toEqual(["DEADLINE_EXCEEDED not-sent", "DEADLINE_EXCEEDED not-sent"]);
  });
});

describe("headers", () => {
  test("travel in a frame of their own to a broker that negotiated it, otherwise in the options", () => {
    const headers = '{"trace":"1-2"}';
    const modern = new Scenario().connect().request("c-1", { headers, options: '{"timeout":1}' });
    expect(modern.shown).toEqual([' true {"timeout":1} headers={"trace":"1-2"}']);
    const classic = new Scenario().connect({ error: true }).request("c-1", { headers, options: '{"timeout":1}' });
    expect(classic.shown).toEqual([' false {"timeout":1,"headers":{"trace":"1-2"}}']);
  });
});

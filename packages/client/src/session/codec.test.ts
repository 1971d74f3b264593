// Codecs of bodies besides JSON at a client's session: P-CODEC-2 and P-CODEC-3.

import { NO_CAPABILITIES, requestId, serviceName, writeText } from "@pigato/protocol";
import { type BodyCodecs, MALFORMED, parseRequestOptions } from "@pigato/protocol/internal";
import { expect, test } from "vitest";
import { sessionOptions } from "../testing/session-options.ts";
import { callOf } from "./calls.ts";
import type { BrokerMessage, Effect } from "./effects.ts";
import { pigatoSession } from "./pigato.ts";

/** Reads every body as its number of bytes, and none with a zero byte. */
const CODECS: BodyCodecs = {
  installed: ["raw"],
  get: () => ({
    encode: () => writeText(""),
    decode: (frame) => (frame.includes(0) ? MALFORMED : frame.length),
  }),
};

class Scenario {
  readonly #session = pigatoSession(sessionOptions({ codecs: CODECS }));
  #effects: readonly Effect[] = [];

  connect(): this {
    this.#session.handle({ type: "start" }, 0);
    this.#effects = this.#session.handle({ type: "link-up", announcement: undefined }, 0);
    return this;
  }

  /** The broker's answer to the offer. */
  answer(codecs: readonly string[]): this {
    return this.receive({ type: "heartbeat", accepted: { ...NO_CAPABILITIES, codecs } });
  }

  request(options: string): this {
    const id = requestId("c-1");
    const message = {
      type: "request",
      service: serviceName("echo"),
      requestId: id,
      body: [writeText("body")],
      trailer: [writeText(options)],
      options: parseRequestOptions(options),
    } as const;
    this.#effects = this.#session.handle({ type: "request", call: callOf(id), message, isPaced: false }, 0);
    return this;
  }

  reply(status: number, body: string, options: string): this {
    const trailer = [writeText(options)];
    return this.receive({ type: "final", requestId: requestId("c-1"), status, body: [writeText(body)], trailer });
  }

  receive(message: BrokerMessage): this {
    this.#effects = this.#session.handle({ type: "message", message }, 0);
    return this;
  }

  /** What the last input caused: messages that are sent, values, and messages of failures. */
  get seen(): readonly unknown[] {
    return this.#effects.flatMap((effect) => {
      if (effect.type === "send") return [effect.message.type];
      if (effect.type === "final") return [effect.value];
      return effect.type === "failed"
        ? [`${effect.failure.code} ${effect.failure.delivery}: ${effect.failure.message}`]
        : [];
    });
  }
}

test("a client offers the codecs that it has", () => {
  const { seen } = new Scenario().connect();
  expect(seen).toEqual(["heartbeat"]);
});

test("P-CODEC-2: a request whose body has a codec waits for the broker's answer", () => {
  const scenario = new Scenario().connect().request('{"codec":"raw"}');
  expect(scenario.seen).toEqual([]);
  expect(scenario.answer(["raw"]).seen).toEqual(["request"]);
});

test("P-CODEC-2: a request in JSON that asks for a codec need not wait", () => {
  expect(new Scenario().connect().request('{"accept":"raw"}').seen).toEqual(["request"]);
});

test("P-CODEC-2: a request whose body has a codec fails if the broker does not support it", () => {
  const scenario = new Scenario().connect().answer([]).request('{"codec":"raw"}');
  expect(scenario.seen).toEqual([
    'INVALID not-sent: request c-1 to "echo" cannot be sent in the codec "raw": its broker does not support it (codec=raw), or the client does not negotiate',
  ]);
});

test.each([
  ["in the codec that its options name", '{"accept":"raw"}', '{"codec":"raw","cache":5}', "four", 4],
  ["that names none is JSON", '{"accept":"raw"}', "{}", "4", 4],
  ["with a word that is no codec is JSON", '{"accept":"raw"}', '{"codec":"own"}', "4", 4],
  ["to a request that asked for none is JSON", "{}", '{"codec":"raw"}', "4", 4],
])("P-CODEC-3: a reply %s", (_what, options, replyOptions, body, value) => {
  const scenario = new Scenario().connect().answer(["raw"]).request(options);
  expect(scenario.reply(0, body, replyOptions).seen).toEqual([value]);
});

test.each([
  ["is not in its codec", '{"codec":"raw"}', "\0"],
  ["has a codec that was not asked for", '{"codec":"msgpack"}', "1"],
])("P-CODEC-3: a reply that %s is malformed", (_what, replyOptions, body) => {
  const scenario = new Scenario().connect().answer(["raw"]).request('{"accept":"raw"}');
  expect(scenario.reply(0, body, replyOptions).seen).toEqual([
    'INVALID maybe-executed: request c-1 to "echo" got a malformed reply: its body is not in the codec that was asked for',
  ]);
});

test("P-CODEC-3: an error is JSON", () => {
  const scenario = new Scenario().connect().answer(["raw"]).request('{"accept":"raw"}');
  expect(scenario.reply(-1, '"no"', '{"codec":"raw"}').seen).toEqual(["WORKER_FAILED maybe-executed: no"]);
});

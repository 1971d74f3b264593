// The sources of streamed input: when a request with one is sent again, and what a client that validates makes of its chunks.

import { Readable } from "node:stream";
import { clientStream, duplex, type Interceptor, type Schema, service } from "@pigato/contract";
import { retryWith } from "@pigato/contract/internal";
import type { Failure } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { Client } from "./client.ts";
import type { RequestInputSource } from "./index.ts";
import { type FakeBroker, failureOf, type Request, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

const NUMBER: Schema<number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: "no number", path: ["rows", 0] }] },
  },
};

const LOAD = service("load", {
  load: clientStream({ chunk: NUMBER, output: NUMBER, idempotent: true }),
  trade: duplex({ chunkIn: NUMBER, chunkOut: NUMBER, idempotent: true }),
});

const LOST: Failure = { code: "WORKER_LOST", message: "lost", delivery: "maybe-executed" };
const SOON = { backoff: { initialMs: 10, jitter: false } } as const;

/**
 * Reads the input of each request, fails the first one, and replies to the second one.
 * @returns when the first one has failed
 */
function failFirst(broker: FakeBroker, failure: Failure = LOST): Promise<void> {
  broker.onRequest = (request) => broker.grant(request, 10);
  return new Promise((resolve) => {
    broker.onInputEnd = (request) => {
      if (broker.requests.length > 1) return broker.final(request, 7);
      broker.fail(request, failure);
      resolve();
    };
  });
}

async function* generated(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

const REPLAYABLE: readonly [name: string, source: () => RequestInputSource<number>][] = [
  ["an array", () => [1, 2]],
  ["a function", () => generated],
  ["a function that returns a stream", () => () => Readable.from([1, 2])],
];

describe("a retry policy sends a request again with all of its input", () => {
  const CALLS: readonly [
    name: string,
    call: (client: Client, source: RequestInputSource<number>) => Promise<unknown>,
  ][] = [
    ["a method", (client, source) => client.of(LOAD, { retry: SOON }).load(source)],
    ["a validated method", (client, source) => client.of(LOAD, { retry: SOON, validate: true }).load(source)],
    ["a stream", (client, source) => client.of(LOAD, { retry: SOON }).trade(source).toArray()],
    ["a request", (client, source) => client.upload("load", source, { retry: { ...SOON, allowUnsafe: true } })],
  ];

  test.each(CALLS.flatMap(([kind, call]) => REPLAYABLE.map(([name, source]) => [kind, name, call, source] as const)))(
    "of %s from %s",
    async (_kind, _name, call, source) => {
      const { client, broker } = await kit.started();
      const failed = failFirst(broker);
      const called = call(client, source());
      await failed;
      await settled();
      kit.clock.advance(10);
      expect([await called].flat()).toEqual([7]);
      expect(broker.inputs).toEqual(["1", "2", "1", "2"]);
    },
  );

  test.each(CALLS)("but %s from a source that can be read once fails with its first failure", async (_kind, call) => {
    const { client, broker } = await kit.started();
    void failFirst(broker);
    expect(await failureOf(call(client, generated()))).toMatchObject({ code: "WORKER_LOST", message: "lost" });
    expect(broker.requests).toHaveLength(1);
  });
});

test("a retry around an interceptor that replaces chunks lets it read them again", async () => {
  const { client, broker } = await kit.started();
  const failed = failFirst(broker);
  const doubled: Interceptor = (next) => (request) => {
    if (request.kind !== "clientStream") return next(request);
    const { input } = request;
    async function* chunks(): AsyncGenerator<number> {
      for await (const chunk of input) yield Number(chunk) * 2;
    }
    return next(request.with({ input: chunks() }));
  };
  client.use(retryWith(SOON, { now: Date.now, random: () => 0, sleep: async () => {} })).use(doubled);
  const called = client.of(LOAD).load(generated);
  await failed;
  expect(await called).toBe(7);
  expect(broker.inputs).toEqual(["2", "4", "2", "4"]);
});

test.each(REPLAYABLE)("the number of the option retry sends validated chunks again from %s", async (_name, source) => {
  const { client, broker } = await kit.started({ reconnect: 10 });
  const failed = failFirst(broker, { code: "BROKER_LOST", message: "lost", delivery: "maybe-executed" });
  const called = client.of(LOAD, { retry: 2, validate: true }).load(source());
  await failed;
  await settled();
  kit.clock.advance(10);
  expect(await called).toBe(7);
  expect(broker.inputs).toEqual(["1", "2", "1", "2"]);
});

describe("a chunk that does not match its schema", () => {
  const INVALID = { code: "INVALID_ARGUMENT", delivery: "maybe-executed" } as const;
  const ISSUES = { detail: { issues: [{ message: "no number", path: ["rows", 0] }] } };

  /** Two chunks, of which the second one is no number. */
  function chunks(): Iterable<number> {
    return [1, JSON.parse('"two"')];
  }

  test.each([
    ["clientStream", (client: Client) => client.of(LOAD, { validate: true }).load(chunks()), "load.load"],
    ["duplex", (client: Client) => client.of(LOAD, { validate: true }).trade(chunks()).toArray(), "load.trade"],
  ])("fails the call of a %s with its issues", async (_kind, call, name) => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.grant(request, 10);
    const failure = await failureOf(call(client));
    expect(failure).toMatchObject({ ...INVALID, ...ISSUES, service: "load", requestId: expect.stringContaining("-") });
    expect(failure.message).toBe(`the input of ${name} is invalid: rows[0]: no number`);
    await settled();
    expect(broker.typesSeen().at(-1)).toBe("cancel");
  });

  test("fails it likewise if an interceptor reads the chunks", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.grant(request, 10);
    client.use((next) => (request) => {
      if (request.kind !== "clientStream") return next(request);
      const { input } = request;
      async function* doubled(): AsyncGenerator<number> {
        for await (const chunk of input) yield Number(chunk) * 2;
      }
      return next(request.with({ input: doubled() }));
    });
    const [error] = await client.of(LOAD, { validate: true }).load.safe(chunks());
    expect(error).toMatchObject({ ...INVALID, ...ISSUES });
  });

  test("of a source that was given by a function fails it likewise", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.grant(request, 10);
    const called = client.of(LOAD, { validate: true, retry: SOON }).load(() => chunks());
    expect(await failureOf(called)).toMatchObject({ ...INVALID, ...ISSUES });
    expect(broker.requests).toHaveLength(1);
  });
});

test("an error of a source cancels its request, also if its code is INVALID_ARGUMENT", async () => {
  const { client, broker } = await kit.started();
  broker.onRequest = (request: Request) => broker.grant(request, 10);
  const nested = Object.assign(new Error("of another call"), { code: "INVALID_ARGUMENT" });
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw nested;
  }
  const failure = await failureOf(client.of(LOAD, { validate: true }).load(failing()));
  expect(failure).toMatchObject({ code: "CANCELED", cause: nested });
});

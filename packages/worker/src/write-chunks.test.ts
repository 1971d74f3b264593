// An async generator that a handler returns is its reply: the chunks are the partials.

import { describe, expect, test } from "vitest";
import { RecordingPort, turn } from "./testing/recording-port.ts";
import { setUp } from "./testing/set-up.ts";
import type { RequestHandler } from "./worker.ts";
import { writeChunks } from "./write-chunks.ts";

async function messagesOf(handler: RequestHandler): Promise<string[]> {
  const { worker, broker, errors, connect, settle } = await setUp({ logger: false });
  worker.on("request", handler);
  await connect();
  broker.request("r1", "20");
  for (let turns = 0; turns < 5; turns++) await settle();
  expect(errors).toEqual([]);
  return broker.takeMessages();
}

describe("a handler that is an async generator", () => {
  test("replies with each chunk that it yields, and ends with what it returns", async () => {
    const messages = await messagesOf(async function* (data) {
      yield Number(data) + 1;
      await turn();
      yield { half: Number(data) / 2 };
      return "end";
    });
    expect(messages).toEqual(["partial r1 0 21", 'partial r1 0 {"half":10}', 'final r1 0 "end"']);
  });

  test("ends with null if it returns nothing", async () => {
    expect(await messagesOf(async function* () {})).toEqual(["final r1 0 null"]);
    expect(
      await messagesOf(async () =>
        (async function* () {
          yield 1;
        })(),
      ),
    ).toEqual(["partial r1 0 1", "final r1 0 null"]);
  });

  test("fails the request with what it throws", async () => {
    const [chunk, failure] = await messagesOf(async function* () {
      yield 1;
      throw new RangeError("too far");
    });
    expect(chunk).toBe("partial r1 0 1");
    expect(failure).toBe('final r1 -1 {"name":"RangeError","message":"too far"}');
  });

  test("is closed when a chunk cannot be sent", async () => {
    const steps: string[] = [];
    const [failure] = await messagesOf(async function* () {
      try {
        yield null;
        steps.push("after");
      } finally {
        steps.push("closed");
      }
    });
    expect(failure).toMatch(/^final r1 -1 .*a partial reply cannot be null/);
    expect(steps).toEqual(["closed"]);
  });
});

describe("chunks", () => {
  test("wait until the reply may be written to", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 2;
    const reply = port.reply();
    const read: number[] = [];
    const chunks = (async function* () {
      for (let chunk = 1; chunk <= 5; chunk++) {
        read.push(chunk);
        yield chunk;
      }
    })();
    const written = writeChunks(chunks, reply);
    await turn();
    expect(read).toEqual([1, 2]);
    expect(reply.listenerCount("close")).toBe(2);
    port.drain(reply);
    await turn();
    expect(read).toEqual([1, 2, 3, 4]);
    port.drain(reply);
    await written;
    expect(port.sent).toHaveLength(5);
    expect(reply.listenerCount("close") + reply.listenerCount("drain")).toBe(0);
  });

  test("are closed when the request ends early, also while they wait", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const steps: string[] = [];
    let wake = (): void => {};
    const chunks = (async function* () {
      try {
        yield 1;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        yield 2;
        steps.push("after");
      } finally {
        steps.push("closed");
      }
    })();
    const written = writeChunks(chunks, reply);
    await turn();
    reply.destroy(new Error("gone"));
    await turn();
    wake();
    expect(await written).toBeUndefined();
    expect(steps).toEqual(["closed"]);
    expect(port.sent.filter((line) => line.startsWith("partial"))).toHaveLength(1);
  });

  test("that do not read on are closed in a pause", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 1;
    const reply = port.reply();
    let isClosed = false;
    const chunks = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: async () => {
          isClosed = true;
          throw new Error("ignored");
        },
      }),
    };
    const written = writeChunks(chunks, reply);
    await turn();
    reply.destroy();
    await written;
    expect(isClosed).toBe(true);
  });
});

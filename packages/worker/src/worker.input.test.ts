import { pipeline } from "node:stream/promises";
import { NO_CAPABILITIES } from "@pigato/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import type { Reply } from "./reply.ts";
import { turn } from "./testing/recording-port.ts";
import { type SetUp, setUp } from "./testing/set-up.ts";
import type { RequestHandler } from "./worker.ts";

let it: SetUp;

beforeEach(async () => {
  it = await setUp();
  it.broker.accepted = { ...NO_CAPABILITIES, duplex: true, cancel: true, error: true, drain: true };
});

async function serve(handler: RequestHandler): Promise<void> {
  it.worker.on("request", handler);
  await it.connect();
}

describe("reply.input", () => {
  test("is the chunks that the client streams, for a loop", async () => {
    await serve(async (_, reply) => {
      let sum = 0;
      for await (const chunk of reply.input) sum += Number(chunk);
      return { sum };
    });
    it.broker.inputRequest("r1");
    await it.settle();
    expect(it.broker.takeMessages()).toEqual(["credit r1 16"]);
    it.broker.input("r1", 1, 2, null, 3);
    it.broker.inputEnd("r1");
    await it.settle();
    expect(it.broker.takeMessages()).toEqual(['final r1 0 {"sum":6}']);
  });

  test("is a source of pipeline, also into the reply", async () => {
    await serve(async (_, reply) => {
      await pipeline(
        reply.input,
        async function* (chunks: AsyncIterable<number>) {
          for await (const chunk of chunks) yield chunk * 2;
        },
        reply,
      );
    });
    it.broker.inputRequest("r1");
    await it.settle();
    it.broker.input("r1", 1, 2);
    it.broker.inputEnd("r1");
    for (let turns = 0; turns < 5; turns++) await it.settle();
    expect(it.broker.takeMessages().slice(1)).toEqual(["partial r1 0 2", "partial r1 0 4", "final r1 0 null"]);
  });

  test("is bytes if the input has the codec raw", async () => {
    await serve(async (_, reply) => {
      const chunks: unknown[] = [];
      for await (const chunk of reply.input) chunks.push(chunk);
      return chunks.map((chunk) => (chunk instanceof Uint8Array ? chunk.length : "no bytes"));
    });
    it.broker.inputRequest("r1", { inputCodec: "raw" });
    await it.settle();
    it.broker.input("r1", Uint8Array.of(1, 2), new Uint8Array(0));
    it.broker.inputEnd("r1");
    await it.settle();
    expect(it.broker.takeMessages().at(-1)).toBe("final r1 0 [2,0]");
  });

  test("grants nothing to a handler that does not read", async () => {
    await serve(() => "done");
    it.broker.inputRequest("r1");
    await it.settle();
    expect(it.broker.takeMessages()).toEqual(['final r1 0 "done"']);
  });

  test("is empty without streamed input", async () => {
    await serve(async (_, reply) => {
      let chunks = 0;
      for await (const _chunk of reply.input) chunks += 1;
      return chunks;
    });
    it.broker.request("r1", "1");
    await it.settle();
    expect(it.broker.takeMessages()).toEqual(["final r1 0 0"]);
  });

  test("takes no more after the handler has left its loop", async () => {
    await serve(async (_, reply) => {
      for await (const chunk of reply.input) return chunk;
    });
    it.broker.inputRequest("r1");
    await it.settle();
    it.broker.input("r1", "first", "second");
    await it.settle();
    it.broker.input("r1", "third");
    await it.settle();
    expect(it.broker.takeMessages()).toEqual(["credit r1 16", 'final r1 0 "first"']);
    expect(it.errors).toEqual([]);
  });

  test("is destroyed with the error of the request when its client cancels", async () => {
    const errors: unknown[] = [];
    await serve(async (_, reply) => {
      try {
        for await (const _chunk of reply.input);
      } catch (error) {
        errors.push(error);
      }
    });
    it.broker.inputRequest("r1");
    await it.settle();
    it.broker.input("r1", 1);
    it.broker.cancel("r1");
    await it.settle();
    expect(errors).toMatchObject([{ name: "RequestError", code: "CANCELED" }]);
  });

  test("that the handler first asks for after the end of the request is destroyed as well", async () => {
    let reply: Reply | undefined;
    await serve((_, mine) => {
      reply = mine;
    });
    it.broker.inputRequest("r1");
    await it.settle();
    it.broker.cancel("r1");
    await it.settle();
    expect(reply?.input.destroyed).toBe(true);
    await turn();
  });

  test.each([
    ["JSON", {}, 0x7b],
    ["msgpack", { inputCodec: "msgpack" } as const, 0xc1],
  ])("ends the request with INVALID at a chunk that is not %s", async (name, options, byte) => {
    const chunks: unknown[] = [];
    const ends: unknown[] = [];
    await serve(async (_, reply) => {
      reply.signal.addEventListener("abort", () => ends.push(reply.signal.reason));
      try {
        for await (const chunk of reply.input) chunks.push(chunk);
      } catch (error) {
        ends.push(error);
      }
    });
    it.broker.inputRequest("r1", options);
    await it.settle();
    it.broker.input("r1", Uint8Array.of(byte));
    await it.settle();
    const [, final] = it.broker.takeMessages();
    expect(final).toMatch(new RegExp(`^final r1 -1 .*a chunk of input of request r1 is not ${name}.*"INVALID"`));
    expect(chunks).toEqual([]);
    await turn();
    expect(ends).toEqual([1, 2].map(() => expect.objectContaining({ code: "INVALID", delivery: "maybe-executed" })));
  });

  test("ends the request if a listener of its chunks throws", async () => {
    const ends: unknown[] = [];
    await serve((_, reply) => {
      reply.on("error", (error: unknown) => ends.push(error));
      reply.input.on("data", () => {
        throw new Error("no room");
      });
      return new Promise(() => {});
    });
    it.broker.inputRequest("r1");
    await it.settle();
    it.broker.input("r1", Uint8Array.of(0x31), Uint8Array.of(0x32));
    await it.settle();
    expect(it.broker.takeMessages()[1]).toMatch(/^final r1 -1 .*no room/);
    expect(ends).toEqual([expect.objectContaining({ code: "WORKER_FAILED", message: "no room" })]);
  });

  test("prevents a rejection once it is read", async () => {
    let thrown: unknown;
    await serve((_, reply) => {
      reply.input.resume();
      try {
        reply.reject("late");
      } catch (error) {
        thrown = error;
      }
    });
    it.broker.inputRequest("r1");
    await it.settle();
    expect(thrown).toMatchObject({ name: "UsageError" });
  });
});

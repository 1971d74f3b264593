// Bodies that are not in the codec that they announce, or that would cost their reader much more than their bytes: requests, chunks of
// input, and replies. Each ends its request with INVALID, and nothing else.

import { Inbox } from "@pigato/testkit";
import type { RawFrame, RawPeer } from "@pigato/testkit/raw-peer";
import { describe, expect, test } from "vitest";
import { PATIENTLY } from "../flow/parts.ts";
import { connectRawPeer, startClient, startWorker } from "../support/start.ts";
import { endOf, rawClient, rawWorker, startWitnessed, TRANSPORTS } from "./witness.ts";

function bytes(...parts: readonly (number | string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part) : typeof part === "number" ? Buffer.of(part) : part,
    ),
  );
}

const SIZE_4 = Buffer.of(0xff, 0xff, 0xff, 0xff);
const BOMBS: readonly (readonly [what: string, body: Buffer])[] = [
  ["an array of 4 billion items", bytes(0xdd, SIZE_4)],
  ["a map of 4 billion pairs", bytes(0xdf, SIZE_4)],
  ["text of 4 GB", bytes(0xdb, SIZE_4)],
  ["bytes of 4 GB", bytes(0xc6, SIZE_4)],
  ["an extension of 4 GB", bytes(0xc9, SIZE_4, 0x74)],
  ["an array of as many items as bytes", bytes(0xdd, 0, 0x10, 0, 0, Buffer.alloc(1_048_576, 0xdd))],
  ["300 levels", bytes(Buffer.alloc(300, 0x91), 0xc0)],
  ["a million levels", bytes(Buffer.alloc(1_000_000, 0x91), 0xc0)],
  ["300 levels of errors", bytes(Buffer.concat(Array.from({ length: 300 }, () => bytes(0xd4, 0x65, 0, 0x91))), 0xc0)],
  ["two million empty arrays", bytes(0xdd, 0, 0x1e, 0x84, 0x80, Buffer.alloc(2_000_000, 0x90))],
  ["a record of msgpackr", bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, "a", 1)],
  ["a reference of msgpackr", bytes(0xd6, 0x70, 0, 0, 0, 1)],
  ["a regular expression", bytes(0xd4, 0x78, 0, 0x92, 0xa1, "a", 0xa1, "g")],
  ["an unknown extension", bytes(0xd4, 0x21, 0)],
  ["a key that names the prototype", bytes(0x81, 0xa9, "__proto__", 0x80)],
  ["a token that is none", bytes(0xc1)],
  ["truncated text", bytes(0xa5, "ab")],
  ["a truncated map", bytes(0x82, 0xa1, "a", 1, 0xa1, "b")],
  ["a number too much", bytes(1, 2)],
  ["JSON", bytes('{"a":1}')],
  ["nothing", bytes()],
];

const MSGPACK = '{"codec":"msgpack"}';

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a request that is not in its codec fails with INVALID", async () => {
    const { address, during } = await startWitnessed({ transport });
    await startWorker(address, "echo", () => "ran");
    const raw = await rawClient(address, "error codec=raw,msgpack");
    await during(async () => {
      for (const [what, body] of BOMBS) {
        await raw.send("C", "2", "echo", what, body, MSGPACK);
        const end = await endOf(raw, what);
        expect([what, end]).toMatchObject([what, { status: "-1", value: { code: "INVALID" } }]);
      }
      await raw.send("C", "2", "echo", "as JSON", bytes(0x93, 1, 2, 3), "{}");
      expect(await endOf(raw, "as JSON")).toMatchObject({ status: "-1", value: { code: "INVALID" } });
    });
  });

  test("a chunk of input that is not in its codec ends its request, also after chunks that are", async () => {
    const { address, during } = await startWitnessed({ transport });
    const thrown: unknown[] = [];
    await startWorker(address, "load", async (_data, reply) => {
      try {
        for await (const _chunk of reply.input);
      } catch (error) {
        thrown.push(error);
        throw error;
      }
    });
    const raw = await rawClient(address, "error duplex cancel codec=raw,msgpack");
    const stream = async (id: string, options: string, ...chunks: readonly RawFrame[]): Promise<void> => {
      await raw.send("C", "2", "load", id, "null", options);
      await raw.receive("C", "9", id);
      for (const chunk of chunks) await raw.send("C", "10", id, chunk);
    };
    await during(async () => {
      for (const [what, body] of BOMBS) {
        await stream(what, '{"input":1,"inputCodec":"msgpack"}', bytes(0xa2, "ok"), body);
        const end = await endOf(raw, what);
        expect([what, end]).toMatchObject([what, { status: "-1", value: { code: "INVALID" } }]);
      }
      await stream("json", '{"input":1}', '"ok"', bytes(0x91, 1));
      expect(await endOf(raw, "json")).toMatchObject({ status: "-1", value: { code: "INVALID" } });
    });
    await expect.poll(() => thrown.length, PATIENTLY).toBe(BOMBS.length + 1);
    expect(thrown).toEqual(thrown.map(() => expect.objectContaining({ code: "INVALID" })));
  });

  test("a reply that is not in the codec that was asked for fails its request with INVALID", async () => {
    const { address, during } = await startWitnessed({ transport });
    const worker = await rawWorker(address, "hostile", "codec=raw,msgpack cancel partials");
    const client = await startClient(address);
    await during(async () => {
      for (const [what, body] of BOMBS) {
        const called = client.call("hostile", 1, { codec: "msgpack" });
        const failed = expect(called, what).rejects.toMatchObject({ code: "INVALID", delivery: "maybe-executed" });
        await answer(worker, body, MSGPACK);
        await failed;
      }
      for (const [asked, codec] of [
        ["msgpack", "raw"],
        ["raw", "msgpack"],
      ] as const) {
        const failed = expectInvalid(client.call("hostile", 1, { codec: asked }));
        await answer(worker, bytes(0x91, 1), JSON.stringify({ codec }));
        await failed;
      }
      // The request asked for none, so its reply is JSON.
      const unasked = expectInvalid(client.call("hostile"));
      await answer(worker, bytes(0x91, 1), MSGPACK);
      await unasked;
      const json = client.call("hostile");
      await answer(worker, Buffer.from("[1]"), MSGPACK);
      expect(await json).toEqual([1]);
    });
  });

  test("a stream whose codec changes fails at the change, and its worker is canceled", async () => {
    const { address, during } = await startWitnessed({ transport });
    const worker = await rawWorker(address, "hostile", "codec=raw,msgpack cancel partials");
    const client = await startClient(address);
    await during(async () => {
      for (const type of ["6", "13"]) {
        const read = new Inbox<unknown>();
        const stream = client.request("hostile", 1, { codec: "msgpack" });
        const failed = expectInvalid(readInto(read, stream));
        const [, , token = "", , , id = ""] = await worker.receive("W", "2");
        const partial = (codec: string, body: Buffer): Promise<void> =>
          type === "6"
            ? worker.send("W", "6", token, "", id, "0", body, codec)
            : worker.send("W", "13", token, "", id, codec, body);
        await partial(MSGPACK, bytes(0x91, 1));
        await partial("{}", Buffer.from('["json"]'));
        expect(await read.takeMany(2)).toEqual([[1], ["json"]]);
        await partial('{"codec":"raw"}', bytes("bytes"));
        await partial(MSGPACK, bytes(0x91, 2));
        await failed;
        await worker.receive("W", "8", token);
        expect(read.items).toEqual([]);
      }
    });
  });
});

test("an error is JSON, whatever codec its options name, and however deep it is", async () => {
  const { address, during } = await startWitnessed();
  const worker = await rawWorker(address, "hostile", "codec=raw,msgpack");
  const client = await startClient(address);
  const deep = "[".repeat(300_000) + "]".repeat(300_000);
  await during(async () => {
    for (const [body, message] of [
      [deep, "an error that cannot be shown"],
      [`{"name":"RequestError","message":"x","code":"BUSY","delivery":"queued","detail":${deep}}`, "x"],
      [`{"name":"Error","message":"x","toString":1,"stack":{},"constructor":{"name":1},"__proto__":{"code":1}}`, "x"],
      ['"text"', "text"],
    ] as const) {
      const failed = expect(client.call("hostile", 1, { codec: "msgpack" })).rejects.toMatchObject({ message });
      await answer(worker, Buffer.from(body), MSGPACK, "-1");
      await failed;
    }
    const failed = expectInvalid(client.call("hostile", 1, { codec: "msgpack" }));
    await answer(worker, bytes(0x91, 1), MSGPACK, "-1");
    await failed;
  });
});

test("a classic client gets the failure of a body that is not JSON, and the worker serves on", async () => {
  const { address, during } = await startWitnessed();
  await startWorker(address, "echo", () => "ran");
  const classic = connectRawPeer(address);
  await during(async () => {
    await classic.send("C", "2", "echo", "r1", bytes(0x91, 1), "{}");
    expect((await endOf(classic, "r1")).status).toBe("-1");
  });
});

function expectInvalid(calling: Promise<unknown>): Promise<void> {
  return expect(calling).rejects.toMatchObject({ code: "INVALID" });
}

async function readInto(read: Inbox<unknown>, stream: AsyncIterable<unknown>): Promise<void> {
  for await (const chunk of stream) read.add(chunk);
}

/** Replies to the next request of a raw worker. */
async function answer(worker: RawPeer, body: Buffer, options: string, status = "0"): Promise<void> {
  const [, , token = "", , , id = ""] = await worker.receive("W", "2");
  await worker.send("W", "3", token, "", id, status, body, options);
}

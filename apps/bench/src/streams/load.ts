// One case of `pnpm bench streams`, in its own process: a broker, a worker and a client over loopback TCP. Each round is one stream of
// 20,000 chunks of 20 bytes, and reports the nanoseconds of CPU per chunk. The name of the case is the direction.

import { once } from "node:events";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { type Reply, Worker } from "@pigato/worker";
import { serveRounds } from "../rounds.ts";
import type { Direction } from "../streams.ts";

const CHUNKS = 20_000;
/** 20 bytes as JSON. */
const CHUNK = "x".repeat(18);

const ROUNDS: Readonly<Record<Direction, () => Promise<number>>> = {
  replies: () => countOf(client.requestStream("write")),
  "input of a generator": () => client.call("read", null, { input: chunks() }),
  "input of an async generator": () => client.call("read", null, { input: asyncChunks() }),
  "input and replies": () => countOf(client.requestStream("copy", null, { input: chunks() })),
};

const run = Object.entries(ROUNDS).find(([direction]) => direction === process.argv[2])?.[1];
if (run === undefined) throw new Error(`unknown direction "${process.argv[2]}"`);
const broker = new Broker("tcp://127.0.0.1:*");
await broker.start();
const [address = ""] = broker.addresses;
await serve("write", async (_, reply) => {
  for (const chunk of chunks()) await write(reply, chunk);
  reply.end();
});
await serve("read", (_, reply) => countOf(reply.input));
await serve("copy", async (_, reply) => {
  for await (const chunk of reply.input) await write(reply, chunk);
  reply.end();
});
const client = new Client(address);
await client.start();

serveRounds(async () => {
  const before = process.cpuUsage();
  const count = await run();
  if (count !== CHUNKS) throw new Error(`${count} chunks arrived instead of ${CHUNKS}`);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / CHUNKS;
});

async function serve(name: string, handler: (data: unknown, reply: Reply) => unknown): Promise<void> {
  const worker = new Worker(address, name);
  worker.on("request", handler);
  await worker.start();
}

function write(reply: Reply, chunk: unknown): Promise<unknown> | undefined {
  return reply.write(chunk) ? undefined : once(reply, "drain");
}

async function countOf(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _chunk of stream) count += 1;
  return count;
}

function* chunks(): Generator<string> {
  for (let chunk = 0; chunk < CHUNKS; chunk++) yield CHUNK;
}

async function* asyncChunks(): AsyncGenerator<string> {
  yield* chunks();
}

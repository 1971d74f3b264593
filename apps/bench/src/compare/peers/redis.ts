// Redis lists: one list for requests, one per client for replies. A reader pops up to a hundred entries at a time, and the
// commands of one turn of the event loop are pipelined. Popping one entry at a time would be several times slower.

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { CHUNK, isChunk, isEchoRequest, type Peer, type Started } from "../peer.ts";
import { PendingRequests } from "../pending-requests.ts";
import { freePort, installed, runServer, scratchFolder } from "../server.ts";

const BATCH = 100;

export const redis: Peer = {
  broker: startRedis,

  async worker(address) {
    const sending = await connected(address);
    const push = (to: string, id: string, reply: unknown) =>
      void sending.lpush(
        to,
        Buffer.isBuffer(reply) ? Buffer.concat([Buffer.from(`${id} `), reply]) : `${id} ${JSON.stringify(reply)}`,
      );
    void takeAll(await connected(address), "requests", (entry) => {
      const [to = "", id = "", text = ""] = splitTwice(entry.toString());
      const data: unknown = JSON.parse(text);
      if (!isEchoRequest(data) || data.partials === undefined) return push(to, id, data);
      for (let number = 0; number < data.partials; number++) push(to, id, data.bytes ? CHUNK : number);
    });
    return { address };
  },

  async client(address) {
    const sending = await connected(address);
    const inbox = randomUUID();
    const pending = new PendingRequests();
    void takeAll(await connected(address), inbox, (entry) => {
      const space = entry.indexOf(" ");
      const body = entry.subarray(space + 1);
      pending.settle(Number(entry.toString("latin1", 0, space)), isChunk(body) ? body : JSON.parse(body.toString()));
    });
    return {
      call: (request, done) => {
        void sending.lpush("requests", `${inbox} ${pending.add(done)} ${JSON.stringify(request)}`);
      },
      stream: (request, onPartial, done) => {
        const id = pending.add(done, onPartial, request.partials);
        void sending.lpush("requests", `${inbox} ${id} ${JSON.stringify(request)}`);
      },
    };
  },
};

/** A server that writes nothing to disk: snapshots are off, and so, by default, is the log. */
export async function startRedis(): Promise<Started> {
  const port = await freePort();
  const pid = await runServer({
    program: installed("redis-server") ?? "redis-server",
    args: ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--dir", scratchFolder()],
    ready: /Ready to accept connections/,
  });
  return { address: `redis://127.0.0.1:${port}`, pid };
}

async function connected(address: string): Promise<Redis> {
  const connection = new Redis(address, { lazyConnect: true, enableAutoPipelining: true });
  await connection.connect();
  return connection;
}

async function takeAll(connection: Redis, list: string, onEntry: (entry: Buffer) => void): Promise<never> {
  for (;;) {
    const taken = await connection.blmpopBuffer(0, 1, list, "RIGHT", "COUNT", BATCH);
    for (const entry of entriesOf(taken)) onEntry(entry);
  }
}

/** @param taken the name of the list and its entries; the types of the library do not say so */
function entriesOf(taken: unknown): Buffer[] {
  const entries: unknown = Array.isArray(taken) ? taken[1] : undefined;
  return Array.isArray(entries) ? entries.filter(Buffer.isBuffer) : [];
}

function splitTwice(text: string): string[] {
  const first = text.indexOf(" ");
  const second = text.indexOf(" ", first + 1);
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

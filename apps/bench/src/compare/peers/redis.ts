// Redis lists: requests in one list, the answers for each client in one of its own. Whoever waits for a list takes all that
// is there, up to a hundred entries, and commands of one turn leave together: a list that gives one entry at a time is
// several times slower.

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { CHUNK, isQuestion, type Peer } from "../peer.ts";
import { Pending } from "../pending.ts";
import { freePort, installed, runServer, scratchFolder } from "../server.ts";

const BATCH = 100;

export const redis: Peer = {
  async broker() {
    const port = await freePort();
    const pid = await runServer({
      program: installed("redis-server") ?? "redis-server",
      args: ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--dir", scratchFolder()],
      ready: /Ready to accept connections/,
    });
    return { address: `redis://127.0.0.1:${port}`, pid };
  },

  async worker(address) {
    const sending = await connected(address);
    const push = (to: string, id: string, part: unknown) =>
      void sending.lpush(
        to,
        Buffer.isBuffer(part) ? Buffer.concat([Buffer.from(`${id} `), part]) : `${id} ${JSON.stringify(part)}`,
      );
    void takeAll(await connected(address), "requests", (entry) => {
      const [to = "", id = "", text = ""] = splitTwice(entry.toString());
      const data: unknown = JSON.parse(text);
      if (!isQuestion(data) || data.parts === undefined) return push(to, id, data);
      for (let part = 0; part < data.parts; part++) push(to, id, data.bytes ? CHUNK : part);
    });
    return { address };
  },

  async client(address) {
    const sending = await connected(address);
    const inbox = randomUUID();
    const pending = new Pending();
    void takeAll(await connected(address), inbox, (entry) => {
      const space = entry.indexOf(" ");
      const body = entry.subarray(space + 1);
      const isChunk = body.length === CHUNK.length && body[0] === CHUNK[0];
      pending.settle(Number(entry.toString("latin1", 0, space)), isChunk ? body : JSON.parse(body.toString()));
    });
    return {
      call: (question, done) => {
        void sending.lpush("requests", `${inbox} ${pending.add(done)} ${JSON.stringify(question)}`);
      },
      stream: (question, onPart, done) => {
        const id = pending.add(done, onPart, question.parts);
        void sending.lpush("requests", `${inbox} ${id} ${JSON.stringify(question)}`);
      },
    };
  },
};

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

/** @param taken the name of the list and its entries, as the client's types do not say */
function entriesOf(taken: unknown): Buffer[] {
  const entries: unknown = Array.isArray(taken) ? taken[1] : undefined;
  return Array.isArray(entries) ? entries.filter(Buffer.isBuffer) : [];
}

function splitTwice(text: string): string[] {
  const first = text.indexOf(" ");
  const second = text.indexOf(" ", first + 1);
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

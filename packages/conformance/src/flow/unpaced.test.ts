// Peers without flow control: classic peers, and callers with callbacks. The broker bounds the bytes that wait for a peer that
// does not read. At the bound the request ends with BUSY, and the peer has received the first partials without a gap. The
// original silently lost 1,500 of 4,000 partials here.

import type { Reply } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { Dealer } from "zeromq";
import { fieldOf, type Library, LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient, startClassicWorker } from "../classic/peers.ts";
import { connectRawPeer, startBroker, startWorker } from "../support/start.ts";
import { numberOf, part, SERVICE } from "./parts.ts";

/** Bytes that may wait for a peer, besides the kernel's buffers. */
const BOUND = { maxPeerBytes: 300_000 };
const PART_BYTES = 50_000;
/** More than the kernel's buffers. */
const MANY = 400;

/** A classic client on a raw socket, which reads only when the test calls it. */
class UnreadClient {
  readonly #socket = new Dealer({ routingId: "C1", linger: 0, receiveHighWaterMark: 1 });

  static async asking(address: string): Promise<UnreadClient> {
    const client = new UnreadClient(address);
    await client.#socket.send(["C", "2", SERVICE, "r1", "null", '{"timeout":60000,"retry":0}']);
    return client;
  }

  private constructor(address: string) {
    this.#socket.connect(address);
    onTestFinished(() => this.#socket.close());
  }

  /** Reads to the end of the reply, and the broker's messages up to its answer to a later heartbeat. */
  async readAll(): Promise<{ readonly parts: number[]; readonly ends: string[] }> {
    const parts: number[] = [];
    const ends: string[] = [];
    for await (const frames of this.#socket) {
      const [, type, , , status, data] = frames.map(String);
      if (type === "4") break;
      if (type === "6") {
        parts.push(numberOf(JSON.parse(data ?? "")));
      } else {
        ends.push(`${type} ${status} ${data}`);
        await this.#socket.send(["C", "4"]);
      }
    }
    return { parts, ends };
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

test("a raw client that does not read receives the first partials and BUSY, and the worker gets a cancel", async () => {
  const running = await startBroker(BOUND);
  const ended = new Promise<Reply>((resolve) => {
    void startWorker(running.address, SERVICE, async (_data, reply) => {
      // It ignores the result of `write`.
      for (let number = 0; reply.active(); number++) {
        reply.write(part(number, PART_BYTES));
        await new Promise(setImmediate);
      }
      resolve(reply);
    });
  });
  const client = await UnreadClient.asking(running.address);
  expect((await ended).writableErrored).toMatchObject({ code: "BUSY" });
  const { parts, ends } = await client.readAll();
  expect(parts.length).toBeGreaterThan(5);
  expect(parts).toEqual(upTo(parts.length));
  expect(ends).toEqual(['3 -1 "BUSY"']);
  expect(running.broker.stats()).toMatchObject({ open: 0, failed: 1 });
});

test("a raw client that does not read receives the first partials of a raw classic worker; later ones are dropped and reported", async () => {
  const running = await startBroker(BOUND);
  const dropped: unknown[] = [];
  running.broker.on("drop", ({ reason }) => dropped.push(reason));
  const worker = connectRawPeer(running.address, "W1");
  await worker.send("W", "1", SERVICE);
  await worker.send("W", "4", "", '{"concurrency":1}');
  const client = await UnreadClient.asking(running.address);
  const [, , address = "", , , id = ""] = await worker.receive("W", "2");
  for (let number = 0; number < MANY; number++) {
    await worker.send("W", "6", address, "", id, "0", JSON.stringify(part(number, PART_BYTES)), "{}");
  }
  await worker.send("W", "3", address, "", id, "0", '"last"', "{}");
  await worker.roundTrip();
  expect(running.broker.stats()).toMatchObject({ failed: 1 });
  const { parts, ends } = await client.readAll();
  expect(parts).toEqual(upTo(parts.length));
  expect(ends).toEqual(['3 -1 "BUSY"']);
  expect(parts.length + dropped.length).toBe(MANY);
  expect(new Set(dropped)).toEqual(new Set(["not-held"]));
});

test("a raw client that reads late receives everything within the bound", async () => {
  const running = await startBroker();
  let hasEnded: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    hasEnded = resolve;
  });
  await startWorker(running.address, SERVICE, (_data, reply) => {
    for (let number = 0; number < MANY; number++) reply.write(part(number, PART_BYTES));
    reply.end("last");
    hasEnded();
  });
  const client = await UnreadClient.asking(running.address);
  await ended;
  await expect.poll(() => running.broker.stats()?.finished).toBe(1);
  const { parts, ends } = await client.readAll();
  expect(parts).toEqual(upTo(MANY));
  expect(ends).toEqual(['3 0 "last"']);
});

const PAIRS: readonly (readonly [Library, Library])[] = [
  ["classic", "classic"],
  ["classic", "ours"],
  ["ours", "classic"],
  ["ours", "ours"],
];

test.each(PAIRS)(
  "a frozen client of %s gets the first partials of a worker of %s without a gap, then BUSY",
  async (clients, workers) => {
    const running = await startBroker(BOUND);
    const [clientProcess, workerProcess] = await Promise.all([
      LibraryProcess.start(clients),
      LibraryProcess.start(workers),
    ]);
    onTestFinished(() => Promise.all([clientProcess.kill(), workerProcess.kill()]).then(() => {}));
    // Its heartbeat interval is so long that the broker does not lose it while it is frozen.
    const client = await startClassicClient(clientProcess, { address: running.address, conf: { heartbeat: 30_000 } });
    const asked = client.request(SERVICE, { count: MANY, bytes: PART_BYTES });
    await expect.poll(() => running.broker.stats()?.open).toBe(1);
    clientProcess.freeze();
    await startClassicWorker(workerProcess, { address: running.address, service: SERVICE, behavior: "rows" });
    await expect.poll(() => running.broker.stats()?.failed).toBe(1);
    clientProcess.thaw();
    const { partials, error } = await asked;
    expect(clients === "ours" ? fieldOf(error, "code") : error).toBe("BUSY");
    expect(partials.map(numberOf)).toEqual(upTo(partials.length));
    expect(partials.length).toBeLessThan(MANY);
  },
);

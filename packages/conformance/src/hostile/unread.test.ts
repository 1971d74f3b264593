// Peers that never read: clients that ask for large replies, and a worker that gets large requests. Others must not notice.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Broker } from "@pigato/broker";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { Dealer } from "zeromq";
import { spawnBroker } from "../support/spawn.ts";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PEERS = 6;
const REPLY = "x".repeat(512 * KIB);
/** More than the kernel's buffers of a local socket and the bound of one peer take together. */
const REQUESTS_PER_PEER = 20;
const MAX_PEER_BYTES = 4 * MIB;
const MAX_SENDING_BYTES = 16 * MIB;
const ROUNDS = 60;
const MAX_MEDIAN_MS = 250;
/** Long enough for honest peers in this process on a busy machine. */
const SEND_STALL_TIMEOUT_MS = 1_500;

const folder = mkdtempSync(join(tmpdir(), "pigato-unread-"));
let addresses = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of a local socket: the kernel takes less than over tcp, so large replies to honest clients wait in the broker, too. */
function newAddress(): string {
  addresses += 1;
  return `ipc://${join(folder, `${addresses}.sock`)}`;
}

test("an honest client loses no call to six peers that never read, and its latency stays low", {
  timeout: 120_000,
}, async () => {
  const bounds = ["--max-peer-bytes", `${MAX_PEER_BYTES}`, "--max-sending-bytes", `${MAX_SENDING_BYTES}`];
  const broker = await spawnBroker("--bind", newAddress(), ...bounds);
  onTestFinished(async () => void (await broker.kill()));
  await startWorker(broker.address, "large", (_data, reply) => reply.end(REPLY), { concurrency: 4 });
  await startWorker(broker.address, "echo", (data, reply) => reply.end(data));
  const client = await startClient(broker.address);
  for (let index = 0; index < PEERS; index++) await new UnreadPeer(broker.address, `unread ${index}`).ask("large");
  const latencies: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const large = [1, 2, 3].map(() => client.call("large", null, { timeout: 30_000 }));
    const since = performance.now();
    expect(await client.call("echo", round)).toBe(round);
    latencies.push(performance.now() - since);
    expect((await Promise.all(large)).every((reply) => reply === REPLY)).toBe(true);
  }
  expect(latencies.sort((a, b) => a - b)[ROUNDS / 2]).toBeLessThan(MAX_MEDIAN_MS);
  expect(broker.stderr).toContain("TOO_MUCH_WAITING");
});

test("peers that read nothing for a while are disconnected, with an event, and their requests are accounted", async () => {
  const limits = { maxPeerBytes: MAX_PEER_BYTES, sendStallTimeoutMs: SEND_STALL_TIMEOUT_MS };
  const { broker, address, rejections } = await startBroker(limits, newAddress());
  await startWorker(address, "large", (_data, reply) => reply.end(REPLY));
  const client = await startClient(address);
  const answered = client.call("large");
  for (let index = 0; index < PEERS; index++) await new UnreadPeer(address, `unread ${index}`).ask("large");
  const peers = new Set<string | undefined>();
  while (peers.size < PEERS) {
    const { peer, code, detail, listener } = await rejections.take();
    expect({ code, listener }).toEqual({ code: "NOT_READING", listener: "bind" });
    expect(detail).toMatch(/^it took 0 bytes in 1500 ms while \d+ waited for it; the minimum is 16384$/);
    peers.add(peer);
  }
  expect([...peers].every((peer) => peer?.startsWith("unread "))).toBe(true);
  expect(await answered).toBe(REPLY);
  expect(await client.call("large")).toBe(REPLY);
  expect(broker.stats()).toMatchObject({ accepted: PEERS * REQUESTS_PER_PEER + 2, open: 0 });
  expect(unaccounted(broker)).toBe(0);
});

test("requests for a worker that never reads go to another, and it is disconnected", async () => {
  const { broker, address, rejections } = await startBroker(
    { sendStallTimeoutMs: SEND_STALL_TIMEOUT_MS },
    newAddress(),
  );
  const joined = new Promise((resolve) => broker.once("worker:join", resolve));
  const unread = new UnreadPeer(address, "unread worker");
  await unread.send("W", "1", "size");
  await unread.send("W", "4", "", '{"concurrency":20}');
  const client = await startClient(address);
  await joined;
  const calls = Array.from({ length: 10 }, () => client.call<number>("size", REPLY, { timeout: 30_000, retry: true }));
  expect(await rejections.take()).toMatchObject({ code: "NOT_READING", peer: "unread worker" });
  await startWorker(address, "size", (data, reply) => reply.end(String(data).length));
  expect(await Promise.all(calls)).toEqual(Array.from(calls, () => REPLY.length));
  expect(unaccounted(broker)).toBe(0);
});

/** Accepted requests that the statistics of the broker do not explain. */
function unaccounted(broker: Broker): number {
  const stats = broker.stats();
  if (stats === undefined) throw new Error("the broker is stopped");
  const { accepted, answered, failed, canceled, expired, open } = stats;
  return accepted - answered - failed - canceled - expired - open;
}

class UnreadPeer {
  readonly #socket: Dealer;

  constructor(address: string, routingId: string) {
    this.#socket = new Dealer({ routingId, linger: 0, receiveHighWaterMark: 1 });
    this.#socket.connect(address);
    onTestFinished(() => this.#socket.close());
  }

  send(...frames: readonly string[]): Promise<void> {
    return this.#socket.send([...frames]);
  }

  async ask(service: string): Promise<void> {
    for (let number = 0; number < REQUESTS_PER_PEER; number++)
      await this.send("C", "2", service, `r${number}`, "1", "{}");
  }
}

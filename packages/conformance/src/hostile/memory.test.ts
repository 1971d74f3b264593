// What a broker's process holds of requests that wait, compared to what it counts. Each of them comes with other messages in
// one buffer, which must not stay alive with it.

import type { PeerProcess } from "@pigato/testkit/peer-process";
import type { Memory } from "@pigato/testkit/serve";
import { type FramesToSend, zmtp } from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import { spawnPeer } from "../support/spawn.ts";

const MIB = 1024 * 1024;
const OPTIONS = Buffer.from('{"timeout":-1}');
/** What a request of two frames counts as besides their bytes and its id. */
const COST = 512 + 2 * 128;
/**
 * Resident memory shows what libzmq holds, if little of it is free memory that V8 or malloc keeps for later: a small young generation,
 * and large blocks that go back to the system when they are freed. The variables are glibc's.
 */
const KEEPS_LITTLE = {
  nodeOptions: ["--expose-gc", "--max-semi-space-size=1", "--min-semi-space-size=1"],
  env: { MALLOC_MMAP_THRESHOLD_: "4096", MALLOC_ARENA_MAX: "1" },
};

test.each([
  ["20,000 requests of 200 bytes", 20_000, 200, 7_000, "zmtp"],
  ["4,000 requests of 9 KB", 4_000, 9 * 1024, 48_000, "zmtp"],
  ["20,000 requests of 1 KB over libzmq", 20_000, 1_024, 6_000, "libzmq"],
] as const)(
  "%s that wait hold no more than 1.3 times what they count, and 64 MiB",
  async (_, count, size, between, transport) => {
    const broker = await spawnPeer({ role: "broker", options: { heartbeat: 60_000, transport } }, KEEPS_LITTLE);
    onTestFinished(async () => void (await broker.kill()));
    const { address } = await broker.request<{ readonly address: string }>("address");
    const body = Buffer.alloc(size, "x");
    // The broker answers it at once, and keeps nothing of it.
    const other = ["C", "2", "mmi.service", "other", Buffer.alloc(between, "y"), OPTIONS];
    // What the process takes to handle so many messages, it keeps for the next ones.
    await send(address, "first", new Array<FramesToSend>(count).fill(other), count);
    const before = await broker.request<Memory>("memory");
    let counted = 0;
    const messages: FramesToSend[] = [];
    for (let index = 0; index < count; index++) {
      const id = `r${index}`;
      messages.push(["C", "2", "unserved", id, body, OPTIONS], other);
      counted += COST + id.length + size + OPTIONS.length;
    }
    await send(address, "second", messages, count);
    await open(broker, count);
    const after = await broker.request<Memory>("memory");
    const live = after.live - before.live;
    // Node does not see what libzmq holds.
    const held = transport === "libzmq" ? after.rss - before.rss : live;
    expect(held).toBeLessThan(1.3 * counted + 64 * MIB);
    // The count is not far too high.
    expect(live).toBeGreaterThan(0.7 * counted);
  },
  120_000,
);

/** Resolves when this many replies have come. */
function send(address: string, routingId: string, messages: readonly FramesToSend[], replies: number): Promise<void> {
  const limits = { maxQueuedBytes: Number.MAX_SAFE_INTEGER, maxQueuedMessages: messages.length };
  return new Promise((resolve) => {
    let count = 0;
    const onMessage = (): void => {
      count += 1;
      if (count === replies) resolve();
    };
    const dealer = zmtp.dealer({ onMessage }, { routingId, limits });
    onTestFinished(() => dealer.close(0));
    dealer.connect(address);
    for (const message of messages) dealer.send(message);
  });
}

/** Resolves when this many requests are open. */
async function open(broker: PeerProcess, count: number): Promise<void> {
  for (;;) {
    const stats = await broker.request<{ readonly open: number; readonly refused: number }>("stats");
    expect(stats.refused).toBe(0);
    if (stats.open >= count) return;
  }
}

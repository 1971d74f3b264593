// How much of a flood is read per turn: by counting, not by timing.

import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { ZmtpRouter } from "./router.ts";
import { encodeCommand, encoded, encodePing, encodePong } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";
import { TurnBudget } from "./turn-budget.ts";

const CHUNK_BYTES = 64 * 1024;
/** The most messages and commands of a part, and those before it in its turn. */
const MOST_PER_TURN = 4 * 1_024;

describe("the budget of a turn", () => {
  test.each([
    ["PINGs", 9],
    ["heartbeats", 6],
    ["empty messages", 2],
  ])("allows at most 4,096 %s, also for a peer that sent large messages before", (_, bytesEach) => {
    const turn = new TurnBudget();
    for (let chunk = 0; chunk < 20; chunk++) readChunk(turn, CHUNK_BYTES);
    readChunk(turn, bytesEach);
    for (let chunk = 0; chunk < 20; chunk++) {
      for (const { work } of readChunk(turn, bytesEach)) expect(work).toBeLessThanOrEqual(MOST_PER_TURN);
    }
  });

  test("lets a peer that sends messages of 60 bytes have its chunks read whole", () => {
    const turn = new TurnBudget();
    const turns = Array.from({ length: 10 }, () => readChunk(turn, 60)).flat();
    expect(turns.slice(3).every(({ bytes }) => bytes === CHUNK_BYTES)).toBe(true);
  });
});

/** Reads a chunk of messages of one size. @returns each part */
function readChunk(turn: TurnBudget, bytesEach: number): { readonly bytes: number; readonly work: number }[] {
  const parts: { readonly bytes: number; readonly work: number }[] = [];
  for (let left = CHUNK_BYTES; left > 0; ) {
    const bytes = Math.min(left, turn.partBytes);
    turn.work += Math.floor(bytes / bytesEach);
    parts.push({ bytes, work: turn.work });
    turn.onRead(bytes);
    left -= bytes;
  }
  return parts;
}

describe("a router that is flooded", () => {
  let router: ZmtpRouter | undefined;
  const peers: RawPeer[] = [];

  afterEach(async () => {
    for (const { socket } of peers.splice(0)) socket.destroy();
    await router?.close(0);
  });

  async function connected(onMessage: (frames: readonly Uint8Array[]) => void): Promise<RawPeer> {
    let onUp = () => {};
    const up = new Promise<void>((resolve) => {
      onUp = resolve;
    });
    router = new ZmtpRouter({ onMessage: (_peer, frames) => onMessage(frames), onPeerUp: onUp });
    const peer = await RawPeer.connect(await router.bind("tcp://127.0.0.1:*"));
    peers.push(peer);
    peer.introduce("flooder");
    await up;
    return peer;
  }

  test("answers the last of the PINGs that it reads at once", async () => {
    const peer = await connected(() => {});
    const last = Uint8Array.of(7, 7);
    const ping = encodePing(0);
    peer.write(...Array.from({ length: 20_000 }, () => ping), encodeCommand("PING", Uint8Array.of(0, 0), last));
    await peer.expect(encodePong(last));
    const pongs = Math.floor(peer.received.length / encodePong(new Uint8Array(0)).length);
    expect(pongs).toBeLessThan(500);
  });

  test("counts commands without effect, so that the next message waits for a later turn", async () => {
    const turns: number[] = [];
    let turn = 0;
    const peer = await connected(() => turns.push(turn));
    const count = (): void => {
      turn += 1;
      counter = setImmediate(count);
    };
    let counter = setImmediate(count);
    const pongs = Array.from({ length: 20_000 }, () => encodePong(new Uint8Array(0)));
    const mark = encoded([["mark"]]);
    peer.write(mark, ...pongs, mark);
    while (turns.length < 2) await new Promise((resolve) => setImmediate(resolve));
    clearImmediate(counter);
    const [first = 0, second = 0] = turns;
    expect(second - first).toBeGreaterThan(20_000 / MOST_PER_TURN);
  });

  test("gets every message in order, also what arrived just before the end of the connection", async () => {
    const numbers: number[] = [];
    let onAll = () => {};
    const all = new Promise<void>((resolve) => {
      onAll = resolve;
    });
    const peer = await connected(([frame = new Uint8Array(0)]) => {
      numbers.push(Buffer.from(frame).readUInt16BE());
      if (numbers.length === 60_000) onAll();
    });
    const messages = Array.from({ length: 60_000 }, (_, number) => [Uint8Array.of(number >> 8, number & 255)]);
    peer.socket.end(encoded(messages));
    await Promise.all([all, once(peer.socket, "close")]);
    expect(numbers).toEqual(Array.from({ length: 60_000 }, (_, number) => number));
  });
});

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

describe("the time of a turn", () => {
  let now = 0;
  const clock = { now: () => now };

  /** Reads a part of messages that take so long. @returns whether the turn is over */
  function readPart(turn: TurnBudget, ...times: readonly number[]): boolean {
    turn.start(now);
    for (const ms of times) {
      now += ms;
      turn.work += 1;
      if (turn.isOverdue()) break;
    }
    return turn.onRead(100);
  }

  test("is over when a message has taken more than 50 ms, and the peer waits for as long, up to a second", () => {
    const turn = new TurnBudget(clock);
    expect([readPart(turn, 25, 25), turn.pauseMs]).toEqual([false, 0]);
    expect([readPart(turn, 25, 26), turn.pauseMs]).toEqual([true, 51]);
    expect([readPart(turn, 5_000, 1), turn.pauseMs]).toEqual([true, 1_000]);
    expect([readPart(turn, 1, 1), turn.pauseMs]).toEqual([false, 0]);
  });

  test("is checked after the second message, and after each eight more", () => {
    const turn = new TurnBudget(clock);
    const start = now;
    readPart(turn, 1, 1, ...Array.from({ length: 20 }, () => 100));
    expect(now - start).toBe(2 + 8 * 100);
  });

  test("is the time of one part, not that between parts", () => {
    const turn = new TurnBudget(clock);
    for (let part = 0; part < 10; part++) {
      expect(readPart(turn, 20, 20)).toBe(false);
      now += 1_000;
    }
  });

  test("has no bound without a clock", () => {
    const turn = new TurnBudget();
    expect([readPart(turn, 5_000, 1), turn.pauseMs]).toEqual([false, 0]);
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
  let address = "";
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
    address = await router.bind("tcp://127.0.0.1:*");
    const peer = await RawPeer.connect(address);
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

  test("reads few messages of many that take long, and then serves others", async () => {
    const served: string[] = [];
    const heavy = await connected(([frame = new Uint8Array(0)]) => {
      served.push(String(Buffer.from(frame)));
      const end = performance.now() + 60;
      while (frame.length > 5 && performance.now() < end);
    });
    const honest = await RawPeer.connect(address);
    peers.push(honest);
    honest.introduce("honest");
    honest.write(encodePing(0));
    await honest.expect(encodePong(new Uint8Array(0)));
    heavy.write(encoded(Array.from({ length: 20 }, () => ["expensive"])));
    honest.write(encoded([["light"]]));
    while (served.length < 21) await new Promise((resolve) => setImmediate(resolve));
    expect(served.filter((text) => text === "expensive")).toHaveLength(20);
    expect(served.indexOf("light")).toBeLessThan(6);
  });

  test("gets what is left of expensive messages after its peer has gone, in further turns", async () => {
    let count = 0;
    let turn = 0;
    const turns = new Set<number>();
    const peer = await connected(() => {
      count += 1;
      turns.add(turn);
      const end = performance.now() + 60;
      while (performance.now() < end);
    });
    const counter = setInterval(() => {
      turn += 1;
    }, 1);
    peer.socket.end(encoded(Array.from({ length: 6 }, () => ["expensive"])));
    await once(peer.socket, "close");
    while (count < 6) await new Promise((resolve) => setImmediate(resolve));
    clearInterval(counter);
    expect(turns.size).toBeGreaterThanOrEqual(3);
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

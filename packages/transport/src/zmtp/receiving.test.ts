// A router whose peers send messages in pieces, and messages that never end.

import { afterEach, expect, test, vi } from "vitest";
import type { LinkLimits } from "../link.ts";
import { FrameReader } from "./frame-reader.ts";
import { encodeCommand, encoded, encodeGreeting, encodePing, encodePong } from "./testing/encoded.ts";
import type { RawPeer } from "./testing/raw-peer.ts";
import { RouterWithPeers } from "./testing/router-with-peers.ts";

const MORE = 1;
const LONG = 2;

const peers = new RouterWithPeers();

afterEach(async () => {
  vi.restoreAllMocks();
  await peers.close();
});

function start(limits: Partial<LinkLimits> = {}, skips = false): Promise<void> {
  return peers.start(limits, {
    ...(skips && { onOversized: (peer: string) => peers.report(`oversized ${peer}`) }),
    onMessage: (peer, frames) => peers.report(`message ${peer} ${frames.map(({ length }) => length).join("+")}`),
    onReceiving: (peer) => peers.report(`receiving ${peer}`),
  });
}

/** The first bytes of a frame. */
function frameStart(flags: number, size: number, arrived: number): Buffer {
  const start = Buffer.alloc(9 + arrived);
  start[0] = flags | LONG;
  start.writeBigUInt64BE(BigInt(size), 1);
  return start;
}

test("bytes of an unfinished message are reported, whole messages and commands are not", async () => {
  await start();
  const peer = await peers.connectedPeer("p");
  peer.write(encoded([[Buffer.from("whole")]]));
  await peers.until(() => peers.events.includes("message p 5"));
  peer.write(encodePing(0).subarray(0, 4));
  peer.write(encodePing(0).subarray(4));
  await peer.expect(encodePong(new Uint8Array(0)));
  expect(peers.events).toEqual(["up p", "message p 5"]);
  peer.write(frameStart(MORE, 10, 4));
  await peers.until(() => peers.events.length === 3);
  peer.write(Buffer.alloc(6));
  await peers.until(() => peers.events.length === 4);
  // A command between the frames of a message is no progress of the message.
  peer.write(encodeCommand("PING", Uint8Array.of(0, 0, 1)));
  await peer.expect(encodePong(Uint8Array.of(1)));
  peer.write(frameStart(0, 2, 2));
  await peers.until(() => peers.events.length === 5);
  expect(peers.events).toEqual(["up p", "message p 5", "receiving p", "receiving p", "message p 10+2"]);
});

test("STALLED: a peer whose message stops growing is disconnected, also if it trickles or sends PING", async () => {
  await start({ stallTimeoutMs: 300, minProgressBytes: 1_000 });
  const stopped = await peers.connectedPeer("stopped");
  const trickling = await peers.connectedPeer("trickling");
  const pinging = await peers.connectedPeer("pinging");
  const splitting = await peers.connectedPeer("splitting");
  const growing = await peers.connectedPeer("growing");
  stopped.write(frameStart(MORE, 50_000, 20_000));
  trickling.write(frameStart(0, 50_000, 0));
  pinging.write(frameStart(MORE, 10, 10));
  splitting.write(frameStart(MORE, 50_000, 50_000));
  const half = encodePing(0).length / 2;
  let isFirstHalf = true;
  growing.write(frameStart(0, 50_000, 0));
  const writer = setInterval(() => {
    trickling.write(Buffer.alloc(1));
    pinging.write(encodePing(0));
    splitting.write(isFirstHalf ? encodePing(0).subarray(0, half) : encodePing(0).subarray(half));
    isFirstHalf = !isFirstHalf;
    growing.write(Buffer.alloc(5_000));
  }, 30);
  await Promise.all([stopped, trickling, pinging, splitting].map(({ closed }) => closed));
  clearInterval(writer);
  await peers.until(() => peers.rejections.length === 4);
  expect(peers.rejections.map(({ code }) => code)).toEqual(Array(4).fill("STALLED"));
  growing.write(Buffer.alloc(50_000));
  await peers.until(() => peers.events.includes("message growing 50000"));
});

test("a peer that trickles its handshake is disconnected in time", async () => {
  await start({ handshakeTimeoutMs: 200 });
  const peer = await peers.rawPeer();
  const greeting = encodeGreeting();
  let sent = 0;
  const writer = setInterval(() => peer.write(greeting.subarray(sent, ++sent)), 10);
  await peer.closed;
  clearInterval(writer);
  await peers.until(() => peers.rejections.length === 1);
  expect(peers.rejections[0]?.code).toBe("HANDSHAKE_TIMEOUT");
});

test("TOO_MUCH_UNFINISHED: at the bound of all peers the largest message goes, and small ones arrive", async () => {
  await start({ maxReceivingBytes: 3_000_000 });
  const honest = await peers.connectedPeer("honest");
  honest.write(frameStart(0, 100_000, 50_000));
  const hostile: RawPeer[] = [];
  for (const name of ["a", "b", "c", "d"]) hostile.push(await peers.connectedPeer(name));
  for (const peer of hostile) peer.write(frameStart(MORE, 1_000_000, 1_000_000));
  await peers.until(() => peers.rejections.length >= 2);
  expect(peers.rejections.map(({ code }) => code)).toEqual(["TOO_MUCH_UNFINISHED", "TOO_MUCH_UNFINISHED"]);
  expect(peers.events.filter((event) => event.startsWith("rejected honest"))).toEqual([]);
  honest.write(Buffer.alloc(50_000));
  await peers.until(() => peers.events.includes("message honest 100000"));
});

test("a message that is skipped because it is too large takes no room, and its bytes are signs of life", async () => {
  await start({ maxFrameBytes: 1_000_000, maxReceivingBytes: 100_000 }, true);
  const peer = await peers.connectedPeer("p");
  peer.write(frameStart(MORE, 5, 5));
  peer.write(frameStart(0, 2_000_000, 1_000_000));
  await peers.until(() => peers.events.includes("receiving p"));
  peer.write(Buffer.alloc(1_000_000));
  await peers.until(() => peers.events.includes("oversized p"));
  expect(peers.rejections).toEqual([]);
});

test("many empty frames of an unfinished message count, too", async () => {
  await start({ maxReceivingBytes: 1_000_000 });
  const peer = await peers.connectedPeer("p");
  peer.write(Buffer.alloc(2 * 10_000, Uint8Array.of(MORE, 0)));
  await peer.closed;
  await peers.until(() => peers.rejections.length === 1);
  expect(peers.rejections[0]?.code).toBe("TOO_MUCH_UNFINISHED");
});

test("OUT_OF_MEMORY: a frame that finds no memory ends its connection and no other", async () => {
  await start();
  const greedy = await peers.connectedPeer("greedy");
  const honest = await peers.connectedPeer("honest");
  const { allocUnsafe } = Buffer;
  vi.spyOn(Buffer, "allocUnsafe").mockImplementation((size) => {
    if (size > 1_000_000) throw new RangeError("Array buffer allocation failed");
    return allocUnsafe(size);
  });
  greedy.socket.write(frameStart(0, 50_000_000, 2_000_000));
  await greedy.closed;
  await peers.until(() => peers.rejections.length === 1);
  expect(peers.rejections[0]).toMatchObject({ code: "OUT_OF_MEMORY", cause: expect.any(RangeError) });
  honest.write(encoded([[Buffer.from("hello")]]));
  await peers.until(() => peers.events.includes("message honest 5"));
});

test("a frame of any announced size costs memory only as its bytes arrive", async () => {
  await start({ maxFrameBytes: Number.MAX_SAFE_INTEGER, maxMessageBytes: Number.MAX_SAFE_INTEGER });
  const allocate = vi.spyOn(Buffer, "allocUnsafe");
  const peer = await peers.connectedPeer("p");
  peer.write(frameStart(0, 2 ** 50, 0));
  await peers.until(() => peers.events.includes("receiving p"));
  expect(Math.max(...allocate.mock.calls.map(([size]) => size))).toBeLessThanOrEqual(65_536);
});

test("a large frame of which 8 KiB come at first is copied once more as it grows, not twice", () => {
  const allocate = vi.spyOn(Buffer, "allocUnsafe");
  const bodies: number[] = [];
  const reader = new FrameReader({ onHeader: () => undefined, onFrame: (_flags, body) => bodies.push(body.length) });
  reader.read(frameStart(0, 4_000_000, 8_192), 0);
  reader.read(Buffer.alloc(4_000_000 - 8_192), 0);
  expect(bodies).toEqual([4_000_000]);
  expect(allocate.mock.calls.map(([size]) => size)).toEqual([1_048_576, 4_000_000]);
});

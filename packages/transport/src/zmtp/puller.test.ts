// A puller with pushers of any kind: byte by byte, ours, and those of libzmq.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Push } from "zeromq";
import type { LinkLimits } from "../link.ts";
import { ZmtpPuller } from "./puller.ts";
import { ZmtpPusher } from "./pusher.ts";
import { encoded, encodePing, encodePong, encodeReady } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";

let puller: ZmtpPuller;
let received: string[] = [];
let events: string[] = [];
/** Messages that it takes before it stops reading. */
let room = Number.POSITIVE_INFINITY;
let onEvent = () => {};

beforeEach(() => {
  received = [];
  events = [];
  room = Number.POSITIVE_INFINITY;
});

afterEach(() => puller.close());

async function bound(limits: Partial<LinkLimits> = {}): Promise<string> {
  puller = new ZmtpPuller(
    {
      onMessage(frames) {
        received.push(frames.map((frame) => Buffer.from(frame).toString()).join("|"));
        room -= 1;
        onEvent();
        return room > 0;
      },
      onRejected({ code }) {
        events.push(code);
        onEvent();
      },
    },
    limits,
  );
  return puller.bind("tcp://127.0.0.1:*");
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onEvent = resolve;
    });
  }
}

async function pusher(address: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  peer.introduce("", "PUSH");
  await peer.expect(encodeReady("PULL", ""));
  return peer;
}

const STALL: Partial<LinkLimits> = { stallTimeoutMs: 400 };

/** Resolves when a puller that reads has rejected a peer for this unfinished message, so that the time of `STALL` has passed. */
async function stalledAtAnother(unfinished: Uint8Array): Promise<void> {
  let onRejected = (): void => {};
  const rejected = new Promise<void>((resolve) => {
    onRejected = resolve;
  });
  const other = new ZmtpPuller({ onMessage: () => true, onRejected }, STALL);
  const peer = await pusher(await other.bind("tcp://127.0.0.1:*"));
  peer.write(unfinished);
  await rejected;
  await other.close();
}

const message = (...frames: string[]) => encoded([frames.map((frame) => Buffer.from(frame))]);

test("it receives the messages of several peers, each in order", async () => {
  const address = await bound();
  const [one, two] = [await pusher(address), await pusher(address)];
  one.write(message("a1"), message("a2", "", "more"));
  await until(() => received.length === 2);
  two.write(message("b1"));
  await until(() => received.length === 3);
  expect(received).toEqual(["a1", "a2||more", "b1"]);
});

test("it rejects a socket that does not push, and a message over the bound", async () => {
  const address = await bound({ maxFrameBytes: 10 });
  const dealer = await RawPeer.connect(address);
  dealer.introduce("d1");
  await dealer.closed;
  const peer = await pusher(address);
  peer.write(message("small"), message("larger than 10"));
  await peer.closed;
  await until(() => events.length === 2);
  expect([events, received]).toEqual([["INCOMPATIBLE", "FRAME_TOO_LARGE"], ["small"]]);
});

describe("a puller whose owner takes no more", () => {
  /** More than the kernel holds for one connection. */
  const MANY = 200;
  const BODY = "x".repeat(100_000);

  test("makes its peers wait, and continues with each after resume()", async () => {
    const address = await bound();
    room = 1;
    const peers = [await pusher(address), await pusher(address)];
    for (const [index, peer] of peers.entries()) {
      for (let at = 0; at < MANY; at++) peer.write(message(`${index}`, BODY));
    }
    await until(() => received.length > 0);
    for (const { socket } of peers) while (socket.writableLength === 0) await new Promise(setImmediate);
    const waiting = () => peers.map(({ socket }) => socket.writableLength);
    const before = waiting();
    // One message of each connection may come after the last that was taken.
    expect(received.length).toBeLessThanOrEqual(2);
    expect(Math.min(...before)).toBeGreaterThan(0);
    while (received.length < 2 * MANY) {
      room = 3;
      puller.resume();
      const { length } = received;
      await until(() => received.length > length);
      expect(received.length - length).toBeLessThanOrEqual(5);
    }
    const from = (index: number) => received.filter((each) => each.startsWith(`${index}|`)).length;
    expect([from(0), from(1)]).toEqual([MANY, MANY]);
    // No peer waits for all messages of the other.
    expect(received.slice(0, MANY).filter((each) => each.startsWith("0")).length).toBeLessThan(MANY);
  });

  test("reads what a peer sent before it left", async () => {
    const address = await bound();
    room = 1;
    const peer = await pusher(address);
    peer.write(...Array.from({ length: 50 }, (_, at) => message(`${at}`)));
    await new Promise<void>((resolve) => peer.socket.end(resolve));
    await until(() => received.length === 1);
    room = Number.POSITIVE_INFINITY;
    puller.resume();
    await until(() => received.length === 50);
    await peer.closed;
  });

  test("closes, whatever waits", async () => {
    const address = await bound();
    room = 1;
    const peer = await pusher(address);
    peer.write(message("1"), message("2"));
    await new Promise<void>((resolve) => peer.socket.end(resolve));
    await until(() => received.length === 1);
    await puller.close();
    await peer.closed;
    expect(received).toEqual(["1"]);
  });

  test("does not disconnect a peer for its silence, or for an unfinished message", async () => {
    const address = await bound(STALL);
    room = 1;
    const peer = await pusher(address);
    const last = message("second", "x".repeat(1_000));
    peer.write(encodePing(400));
    await peer.expect(encodePong(new Uint8Array(0)));
    const other = await pusher(address);
    other.write(Buffer.concat([encodePing(400), last.subarray(0, 500)]));
    await other.expect(encodePong(new Uint8Array(0)));
    peer.write(message("first"));
    await until(() => received.length === 1);
    await stalledAtAnother(last.subarray(0, 500));
    expect(events).toEqual([]);
    room = 2;
    other.write(last.subarray(500));
    puller.resume();
    await until(() => received.length === 2);
  });
});

describe("with libzmq", () => {
  test("a PUSH sends to it, and waits while it does not read", async () => {
    const address = await bound();
    room = 1;
    const push = new Push({ sendHighWaterMark: 2, linger: 0, sendTimeout: 200 });
    push.connect(address);
    let sent = 0;
    const sendAll = async () => {
      for (; sent < 300; sent++) await push.send([`${sent}`, Buffer.alloc(100_000)]);
    };
    await expect(sendAll()).rejects.toMatchObject({ code: "EAGAIN" });
    room = Number.POSITIVE_INFINITY;
    push.sendTimeout = -1;
    puller.resume();
    await sendAll();
    await until(() => received.length === 300);
    expect(received.map((each) => Number(each.split("|")[0]))).toEqual(Array.from({ length: 300 }, (_, at) => at));
    push.close();
  });

  test("our pusher sends to it, and reports when it is slow", async () => {
    const address = await bound();
    room = 1;
    let onDrain = () => {};
    const link = new ZmtpPusher({ onDrain: () => onDrain() }, { slowBytes: 100_000, maxQueuedBytes: 1_000_000 });
    link.connect(address);
    const outcomes = new Set<string>();
    let sent = 0;
    for (let at = 0; at < 300; at++) {
      const outcome = link.send([Buffer.from(`${at}`), Buffer.alloc(100_000)]);
      outcomes.add(outcome);
      if (outcome === "congested") break;
      sent += 1;
      await new Promise(setImmediate);
    }
    expect(outcomes).toEqual(new Set(["queued", "slow", "congested"]));
    room = Number.POSITIVE_INFINITY;
    const drained = new Promise<void>((resolve) => {
      onDrain = resolve;
    });
    puller.resume();
    await drained;
    await until(() => received.length === sent);
    await link.close();
  });
});

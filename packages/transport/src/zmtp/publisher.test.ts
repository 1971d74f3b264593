// A publisher with subscribers of any kind: they subscribe by commands or by messages, subscribe repeatedly, read slowly or not at
// all, and violate the protocol.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LinkLimits } from "../link.ts";
import { MAX_PREFIX_BYTES, MAX_PREFIXES } from "../prefixes.ts";
import { ZmtpPublisher } from "./publisher.ts";
import { SocketConnection } from "./socket-connection.ts";
import { ZmtpSubscriber } from "./subscriber.ts";
import { encoded, encodeGreeting, encodePing, encodePong, encodeReady, encodeSubscribe } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";

// In place of the originals, the globals, which some tests replace.
vi.mock("../timers.ts", async () => ({
  ...(await vi.importActual<object>("../timers.ts")),
  setTimeout: (callback: () => void, ms: number) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer: NodeJS.Timeout | undefined) => globalThis.clearTimeout(timer),
  monotonicNow: () => performance.now(),
}));

let publisher: ZmtpPublisher;
let address = "";
let peers: RawPeer[] = [];
let rejections: string[] = [];
let onRejected = () => {};

beforeEach(() => start());

afterEach(async () => {
  vi.useRealTimers();
  for (const { socket } of peers) socket.destroy();
  await publisher.close();
});

async function start(limits: Partial<LinkLimits> = {}): Promise<void> {
  peers = [];
  rejections = [];
  publisher = new ZmtpPublisher(
    {
      onRejected: ({ code, remoteAddress }) => {
        expect(remoteAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
        rejections.push(code);
        onRejected();
      },
    },
    { limits },
  );
  address = await publisher.bind("tcp://127.0.0.1:*");
}

async function rawPeer(): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  peers.push(peer);
  return peer;
}

/** A subscriber with these prefixes. */
async function subscriber(prefixes: readonly string[], speaks31 = true): Promise<RawPeer> {
  const peer = await rawPeer();
  const greeting = encodeGreeting();
  if (!speaks31) greeting[11] = 0;
  peer.write(greeting, encodeReady("SUB", ""), ...prefixes.map((prefix) => encodeSubscribe(prefix, speaks31)));
  return peer;
}

async function disconnected(count = 1): Promise<void> {
  while (rejections.length < count) {
    await new Promise<void>((resolve) => {
      onRejected = resolve;
    });
  }
}

const text = (...frames: string[]) => frames.map((each) => Buffer.from(each));
/** With a context, so that it differs from an earlier PING. */
const ping = Uint8Array.of(4, 8, 4, 80, 73, 78, 71, 0, 0, 1);
const pong = encodePong(Uint8Array.of(1));
const cancel = (prefix: string) => {
  const body = Buffer.from(`\u0006CANCEL${prefix}`, "latin1");
  return Buffer.concat([Uint8Array.of(4, body.length), body]);
};

describe("a subscription", () => {
  test.each([
    ["commands of version 3.1", true],
    ["messages of version 3.0", false],
  ])("may arrive as %s", async (_how, speaks31) => {
    publisher.publish(text("state 1", "more"));
    const peer = await subscriber(["nothing", "state"], speaks31);
    await peer.expect(encodeReady("PUB", ""));
    await peer.expect(encoded([text("state 1", "more")]));
    publisher.publish(text("else"));
    publisher.publish(text("state 2"));
    await peer.expect(encoded([text("state 2")]));
    expect(peer.messages()).toEqual([["state 1", "more"], ["state 2"]]);
  });

  test.each([
    ["a command", cancel("state")],
    ["a message", encoded([[Buffer.from("\u0000state")]])],
  ])("may be canceled by %s", async (_how, taken) => {
    const peer = await subscriber(["state", "state", "mark"]);
    peer.write(taken);
    // Its commands are read in order.
    publisher.publish(text("mark 1"));
    await peer.expect(encoded([text("mark 1")]));
    publisher.publish(text("state"));
    publisher.publish(text("mark 2"));
    await peer.expect(encoded([text("mark 2")]));
    expect(peer.messages()).toEqual([["mark 1"], ["mark 2"]]);
  });

  test("delivers a message once, whatever the number of matching prefixes", async () => {
    const peer = await subscriber(["", "st", "state"]);
    publisher.publish(text("first"));
    await peer.expect(encoded([text("first")]));
    publisher.publish(text("state"));
    publisher.publish(text("last"));
    await peer.expect(encoded([text("last")]));
    expect(peer.messages().filter(([frame]) => frame === "state")).toHaveLength(1);
  });

  test("delivers the latest message at once, before later ones", async () => {
    publisher.publish(text("state 1"));
    const peer = await subscriber(["nothing", "state", "other"]);
    peer.write(encodePing(0));
    await peer.expect(encodePong(new Uint8Array(0)));
    publisher.publish(text("other 1"));
    await peer.expect(encoded([text("other 1")]));
    publisher.publish(text("more 1"));
    peer.write(encodeSubscribe("more", true), ping);
    await peer.expect(pong);
    publisher.publish(text("other 2"));
    await peer.expect(encoded([text("other 2")]));
    expect(peer.messages().flat()).toEqual(["state 1", "other 1", "more 1", "other 2"]);
  });

  test("delivers no other messages", async () => {
    publisher.publish(text("state"));
    const peer = await subscriber(["nothing"]);
    peer.write(ping);
    await peer.expect(pong);
    publisher.publish(text("nothing 1"));
    await peer.expect(encoded([text("nothing 1")]));
    expect(peer.messages()).toEqual([["nothing 1"]]);
  });

  describe("to a prefix that the peer has", () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    });

    /** The peer has the latest message, writes these bytes, and the publisher has read them. */
    async function writes(peer: RawPeer, ...bytes: Uint8Array[]): Promise<void> {
      await peer.expect(encoded([text("state")]));
      peer.write(...bytes, encodePing(0));
      await peer.expect(encodePong(new Uint8Array(0)));
    }

    /** The messages it has after the time of a repeat. */
    async function messagesAfterRepeat(peer: RawPeer): Promise<string[]> {
      vi.advanceTimersByTime(10);
      peer.write(ping);
      await peer.expect(pong);
      return peer.messages().flat();
    }

    test("repeats the latest message once, even for a thousand subscriptions", async () => {
      publisher.publish(text("state"));
      const [peer, other] = [await subscriber(["state"]), await subscriber(["state"])];
      await other.expect(encoded([text("state")]));
      await writes(peer, ...Array.from({ length: 1_000 }, () => encodeSubscribe("state", true)));
      expect(peer.messages()).toHaveLength(1);
      expect(await messagesAfterRepeat(peer)).toEqual(["state", "state"]);
      expect(await messagesAfterRepeat(other)).toEqual(["state"]);
    });

    test("repeats the latest message for one further subscription", async () => {
      publisher.publish(text("state"));
      const peer = await subscriber(["state"]);
      await writes(peer, encodeSubscribe("state", true));
      expect(await messagesAfterRepeat(peer)).toEqual(["state", "state"]);
    });

    test("repeats nothing after a cancellation", async () => {
      publisher.publish(text("state"));
      const peer = await subscriber(["state"]);
      await writes(peer, encodeSubscribe("state", true), cancel("state"));
      expect(await messagesAfterRepeat(peer)).toEqual(["state"]);
    });

    test("repeats nothing after a newer message", async () => {
      publisher.publish(text("state"));
      const peer = await subscriber(["state"]);
      await writes(peer, encodeSubscribe("state", true));
      publisher.publish(text("state 2"));
      expect(await messagesAfterRepeat(peer)).toEqual(["state", "state 2"]);
    });
  });

  test("ends with its connection, which is not reported as rejected", async () => {
    const peer = await subscriber(["state"]);
    const onEnd = publisher.onEnd.bind(publisher);
    const ended = new Promise<void>((resolve) => {
      publisher.onEnd = (connection, violation) => {
        onEnd(connection, violation);
        resolve();
      };
    });
    peer.socket.end();
    await ended;
    expect(rejections).toEqual([]);
  });

  test("is not made by other messages", async () => {
    const peer = await subscriber([]);
    peer.write(encoded([text("hi"), text(""), text("\u0001a", "b"), text("\u0002state")]), encodeSubscribe("a", true));
    publisher.publish(text("b"));
    publisher.publish(text("state"));
    publisher.publish(text("a"));
    await peer.expect(encoded([text("a")]));
    expect(peer.messages()).toEqual([["a"]]);
    expect(rejections).toEqual([]);
  });
});

test("only the latest message waits for a subscriber that does not read, and others do not wait for it", async () => {
  publisher.publish(text("state"));
  const slow = await subscriber(["state"]);
  await slow.expect(encoded([text("state")]));
  slow.socket.pause();
  let onRead = (_number: number) => {};
  const quick = new ZmtpSubscriber({ onMessage: ([first]) => onRead(numberOf(Buffer.from(first ?? []).toString())) });
  const padding = "p".repeat(100_000);
  const last = 300;
  await new Promise<void>((resolve) => {
    onRead = (number) => {
      if (number === last) return resolve();
      publisher.publish(text(`state ${number + 1}`, padding));
    };
    quick.subscribe("state");
    quick.connect(address);
  });
  await quick.close();
  slow.socket.resume();
  await slow.expect(encoded([text(`state ${last}`, padding)]));
  const numbers = slow.messages().map(([first]) => numberOf(first));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeLessThan(last / 2);
});

test.each<[string, string, () => Uint8Array[]]>([
  ["is HTTP", "PROTOCOL", () => [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
  ["is a dealer", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("DEALER", "d")]],
  ["is a publisher", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("PUB", "")]],
  ["subscribes before READY", "PROTOCOL", () => [encodeGreeting(), encodeSubscribe("state", true)]],
  ["subscribes before READY, by a message", "PROTOCOL", () => [encodeGreeting(), encodeSubscribe("state", false)]],
  ["subscribes to too much", "FRAME_TOO_LARGE", () => said(encodeSubscribe("x".repeat(MAX_PREFIX_BYTES + 1), true))],
  [
    "subscribes to too much, by a message",
    "FRAME_TOO_LARGE",
    () => said(encodeSubscribe("x".repeat(MAX_PREFIX_BYTES + 1), false)),
  ],
  ["sends many frames", "TOO_MANY_FRAMES", () => said(encoded([Array.from({ length: 17 }, () => Buffer.alloc(1))]))],
  [
    "subscribes too often",
    "TOO_MANY_SUBSCRIPTIONS",
    () => said(...Array.from({ length: MAX_PREFIXES + 1 }, (_, number) => encodeSubscribe(`${number}`, true))),
  ],
])("only a peer that %s is disconnected (%s)", async (_what, code, pieces) => {
  publisher.publish(text("state"));
  const good = await subscriber(["state"]);
  await good.expect(encoded([text("state")]));
  const bad = await rawPeer();
  bad.write(...pieces());
  await bad.closed;
  await disconnected();
  expect(rejections).toEqual([code]);
  publisher.publish(text("state 2"));
  await good.expect(encoded([text("state 2")]));
});

test.each([
  ["commands", true],
  ["messages", false],
])("as many prefixes as the bound allows, each of the greatest length, may arrive as %s", async (_how, speaks31) => {
  const prefixes = Array.from({ length: MAX_PREFIXES }, (_, number) => `${number} `.padEnd(MAX_PREFIX_BYTES, "x"));
  const peer = await subscriber(prefixes, speaks31);
  publisher.publish(text(`${prefixes[MAX_PREFIXES - 1]}, and more`));
  await peer.expect(encoded([text(`${prefixes[MAX_PREFIXES - 1]}, and more`)]));
  expect(rejections).toEqual([]);
});

test("one subscriber too many is rejected, and can connect when another has left", async () => {
  await publisher.close();
  await start({ maxConnections: 1 });
  publisher.publish(text("state"));
  const first = await subscriber(["state"]);
  await first.expect(encoded([text("state")]));
  await (await rawPeer()).closed;
  await disconnected();
  expect(rejections).toEqual(["TOO_MANY_CONNECTIONS"]);
  first.socket.destroy();
  for (;;) {
    const next = await subscriber(["state"]);
    if (await Promise.race([next.closed.then(() => false), next.expect(encoded([text("state")])).then(() => true)]))
      break;
  }
  const send = vi.spyOn(SocketConnection.prototype, "send");
  publisher.publish(text("state 2"));
  expect(send).toHaveBeenCalledTimes(1);
  send.mockRestore();
});

test.each([
  ["a command", true],
  ["a message", false],
])("a subscriber that subscribed by %s is not idle, and one that did not subscribe is", async (_how, speaks31) => {
  await publisher.close();
  await start({ idleConnectionMs: 500 });
  const used = await subscriber(["state"], speaks31);
  const idle = await subscriber([], speaks31);
  await idle.closed;
  await disconnected();
  expect(rejections).toEqual(["IDLE"]);
  publisher.publish(text("state"));
  await used.expect(encoded([text("state")]));
});

test("a subscriber without a handshake in time is disconnected", async () => {
  await publisher.close();
  await start({ handshakeTimeoutMs: 20 });
  await (await rawPeer()).closed;
  await disconnected();
  expect(rejections).toEqual(["HANDSHAKE_TIMEOUT"]);
});

test("a message has at least one frame", () => {
  expect(() => publisher.publish([])).toThrow(TypeError);
});

function numberOf(state: string | undefined): number {
  return Number(state?.slice("state ".length));
}

function said(...pieces: Uint8Array[]): Uint8Array[] {
  return [encodeGreeting(), encodeReady("SUB", ""), ...pieces];
}

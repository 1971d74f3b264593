// A subscriber with publishers of any kind, byte by byte.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SubscriberOptions } from "../link.ts";
import { ZmtpSubscriber } from "./subscriber.ts";
import {
  encoded,
  encodeError,
  encodeGreeting,
  encodePing,
  encodePong,
  encodeReady,
  encodeSubscribe,
} from "./testing/encoded.ts";
import { RawListener, type RawPeer } from "./testing/raw-peer.ts";

let listener: RawListener;
let subscriber: ZmtpSubscriber;
let events: string[] = [];
let onEvent = () => {};

beforeEach(() => {
  listener = new RawListener();
});

afterEach(async () => {
  listener.close();
  await subscriber.close();
});

async function connect(prefixes: readonly string[], options: SubscriberOptions = {}): Promise<void> {
  events = [];
  const report = (what: string) => {
    events.push(what);
    onEvent();
  };
  subscriber = new ZmtpSubscriber(
    {
      onMessage: (frames) => report(`message ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`),
      onUp: ({ remoteAddress }) => report(remoteAddress === undefined ? "up somewhere" : "up"),
      onDown: () => report("down"),
      onRejected: ({ code }) => report(`rejected ${code}`),
    },
    { reconnectMs: 1, reconnectMaxMs: 5, ...options },
  );
  for (const prefix of prefixes) subscriber.subscribe(prefix);
  subscriber.connect(await listener.listen());
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onEvent = resolve;
    });
  }
}

/** Sends the handshake of a publisher on the next connection. */
async function publisher(speaks31 = true): Promise<RawPeer> {
  const peer = await listener.next();
  const greeting = encodeGreeting();
  if (!speaks31) greeting[11] = 0;
  peer.write(greeting, encodeReady("XPUB", ""));
  return peer;
}

const subscribed = (speaks31: boolean, ...prefixes: string[]) =>
  Buffer.concat(prefixes.map((prefix) => encodeSubscribe(prefix, speaks31)));

describe("its subscriptions", () => {
  test.each([
    ["3.1, by commands", true],
    ["3.0, by messages", false],
  ])("it sends each prefix once to a publisher of version %s", async (_how, speaks31) => {
    const long = "l".repeat(300);
    await connect(["state", "", "state", long]);
    const peer = await publisher(speaks31);
    await peer.expect(Buffer.concat([encodeReady("SUB", ""), subscribed(speaks31, "state", "", long)]));
    subscriber.subscribe("");
    subscriber.subscribe("later \u00ff");
    await peer.expect(Buffer.concat([subscribed(speaks31, long, "later \u00ff")]));
    expect(events).toEqual(["up"]);
  });

  test("it sends the same bytes as libzmq", () => {
    expect(encodeSubscribe("topic", true)).toEqual(Buffer.from("\u0004\u000f\u0009SUBSCRIBEtopic"));
    expect(encodeSubscribe("topic", false)).toEqual(Buffer.from("\u0000\u0006\u0001topic"));
  });

  test("it sends all prefixes to every new publisher", async () => {
    await connect(["first"]);
    const one = await publisher();
    await one.expect(subscribed(true, "first"));
    one.socket.destroy();
    await until(() => events.includes("down"));
    subscriber.subscribe("second");
    const two = await publisher();
    await two.expect(subscribed(true, "first", "second"));
    expect(events).toEqual(["up", "down", "up"]);
  });

  test("it sends no prefix before the publisher's READY", async () => {
    await connect(["state"]);
    const peer = await listener.next();
    peer.write(encodeGreeting());
    await peer.expect(encodeReady("SUB", ""));
    expect(peer.received.includes("SUBSCRIBE")).toBe(false);
    peer.write(encodeReady("PUB", ""));
    await peer.expect(subscribed(true, "state"));
  });
});

test("it answers a PING", async () => {
  await connect([]);
  const peer = await publisher();
  peer.write(encodePing(0));
  await peer.expect(encodePong(new Uint8Array(0)));
});

test.each<[string, string, () => Uint8Array[]]>([
  ["HTTP", "PROTOCOL", () => [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]],
  ["a router", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("ROUTER", "")]],
  ["another subscriber", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("SUB", "")]],
  ["a message before READY", "PROTOCOL", () => [encodeGreeting(), encoded([[Buffer.from("state")]])]],
  ["an ERROR", "REFUSED", () => [encodeGreeting(), encodeError("full")]],
])("it reports %s in place of a publisher (%s), and connects to the next publisher", async (_what, code, pieces) => {
  await connect(["state"]);
  const other = await listener.next();
  other.write(...pieces());
  await other.closed;
  const peer = await publisher();
  peer.write(encoded([[Buffer.from("state")]]));
  await until(() => events.length === 3);
  expect(events).toEqual([`rejected ${code}`, "up", "message state"]);
});

test("it delivers what came before a frame over the bound, disconnects and reconnects", async () => {
  await connect(["state"], { maxFrameBytes: 10 });
  const peer = await publisher();
  peer.write(encoded([[Buffer.from("state 1"), Buffer.alloc(10, "x")], [Buffer.from("state 2345")]]));
  peer.write(encoded([[Buffer.from("state 23456")]]));
  await peer.closed;
  await publisher();
  await until(() => events.filter((each) => each === "up").length === 2);
  expect(events).toEqual([
    "up",
    "message state 1|xxxxxxxxxx",
    "message state 2345",
    "rejected FRAME_TOO_LARGE",
    "down",
    "up",
  ]);
});

test("it reconnects soon after each connection that was up, however many there were", async () => {
  // Pauses that doubled each time would take more than four minutes.
  await connect([], { reconnectMaxMs: 600_000 });
  for (let count = 1; count <= 18; count++) {
    const peer = await publisher();
    await until(() => events.filter((each) => each === "up").length === count);
    peer.socket.destroy();
  }
  await listener.next();
});

test("it connects to one address only", async () => {
  await connect([]);
  expect(() => subscriber.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining({ code: "FAILED" }));
});

test("it delivers nothing and does not reconnect after close", async () => {
  await connect(["state"]);
  const peer = await publisher();
  await until(() => events.length === 1);
  const closed = subscriber.close();
  peer.write(encoded([[Buffer.from("state")]]));
  await Promise.all([closed, peer.closed]);
  expect(events).toEqual(["up"]);
});

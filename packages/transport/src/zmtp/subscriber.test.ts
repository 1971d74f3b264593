// What a subscriber does with publishers of any make.

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
let news: string[] = [];
let onNews = () => {};

beforeEach(() => {
  listener = new RawListener();
});

afterEach(async () => {
  listener.close();
  await subscriber.close();
});

async function connect(prefixes: readonly string[], options: SubscriberOptions = {}): Promise<void> {
  news = [];
  const tell = (what: string) => {
    news.push(what);
    onNews();
  };
  subscriber = new ZmtpSubscriber(
    {
      onMessage: (frames) => tell(`message ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`),
      onUp: ({ remoteAddress }) => tell(remoteAddress === undefined ? "up somewhere" : "up"),
      onDown: () => tell("down"),
      onRefused: ({ code }) => tell(`refused ${code}`),
    },
    { reconnectMs: 1, reconnectMaxMs: 5, ...options },
  );
  for (const prefix of prefixes) subscriber.subscribe(prefix);
  subscriber.connect(await listener.listen());
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onNews = resolve;
    });
  }
}

/** The next that the subscriber connects to introduces itself as a publisher. */
async function publisher(speaks31 = true): Promise<RawPeer> {
  const peer = await listener.next();
  const greeting = encodeGreeting();
  if (!speaks31) greeting[11] = 0;
  peer.write(greeting, encodeReady("XPUB", ""));
  return peer;
}

const subscribed = (speaks31: boolean, ...prefixes: string[]) =>
  Buffer.concat(prefixes.map((prefix) => encodeSubscribe(prefix, speaks31)));

describe("what it wants", () => {
  test.each([
    ["3.1, by commands", true],
    ["3.0, by messages", false],
  ])("it tells a publisher of version %s, each once", async (_how, speaks31) => {
    const long = "l".repeat(300);
    await connect(["state", "", "state", long]);
    const peer = await publisher(speaks31);
    await peer.expect(Buffer.concat([encodeReady("SUB", ""), subscribed(speaks31, "state", "", long)]));
    subscriber.subscribe("");
    subscriber.subscribe("later \u00ff");
    await peer.expect(Buffer.concat([subscribed(speaks31, long, "later \u00ff")]));
    expect(news).toEqual(["up"]);
  });

  test("it says byte for byte what libzmq says", () => {
    expect(encodeSubscribe("topic", true)).toEqual(Buffer.from("\u0004\u000f\u0009SUBSCRIBEtopic"));
    expect(encodeSubscribe("topic", false)).toEqual(Buffer.from("\u0000\u0006\u0001topic"));
  });

  test("it tells every publisher that comes, also what was asked for in between", async () => {
    await connect(["first"]);
    const one = await publisher();
    await one.expect(subscribed(true, "first"));
    one.socket.destroy();
    await until(() => news.includes("down"));
    subscriber.subscribe("second");
    const two = await publisher();
    await two.expect(subscribed(true, "first", "second"));
    expect(news).toEqual(["up", "down", "up"]);
  });

  test("it says to nobody who has not introduced itself", async () => {
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
  ["a message too soon", "PROTOCOL", () => [encodeGreeting(), encoded([[Buffer.from("state")]])]],
  ["a refusal", "REFUSED", () => [encodeGreeting(), encodeError("full")]],
])("it tells of %s where a publisher should be (%s), and finds the one that comes", async (_what, code, pieces) => {
  await connect(["state"]);
  const other = await listener.next();
  other.write(...pieces());
  await other.closed;
  const peer = await publisher();
  peer.write(encoded([[Buffer.from("state")]]));
  await until(() => news.length === 3);
  expect(news).toEqual([`refused ${code}`, "up", "message state"]);
});

test("a frame over the bound costs the connection, what came before it is told, and it reconnects", async () => {
  await connect(["state"], { maxFrameBytes: 10 });
  const peer = await publisher();
  peer.write(encoded([[Buffer.from("state 1"), Buffer.alloc(10, "x")], [Buffer.from("state 2345")]]));
  peer.write(encoded([[Buffer.from("state 23456")]]));
  await peer.closed;
  await publisher();
  await until(() => news.filter((each) => each === "up").length === 2);
  expect(news).toEqual([
    "up",
    "message state 1|xxxxxxxxxx",
    "message state 2345",
    "refused FRAME_TOO_LARGE",
    "down",
    "up",
  ]);
});

test("it comes back soon after each connection that came up, however many there were", async () => {
  // Pauses that doubled each time would add up to more than a minute.
  await connect([], { reconnectMaxMs: 60_000 });
  for (let life = 1; life <= 16; life++) {
    const peer = await publisher();
    await until(() => news.filter((each) => each === "up").length === life);
    peer.socket.destroy();
  }
  await listener.next();
});

test("it connects to one address alone", async () => {
  await connect([]);
  expect(() => subscriber.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining({ code: "FAILED" }));
});

test("after its close nothing is told, and nobody is sought", async () => {
  await connect(["state"]);
  const peer = await publisher();
  await until(() => news.length === 1);
  const closed = subscriber.close();
  peer.write(encoded([[Buffer.from("state")]]));
  await Promise.all([closed, peer.closed]);
  expect(news).toEqual(["up"]);
});

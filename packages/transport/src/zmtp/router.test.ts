// What peers of any make can do to a router: introduce themselves oddly, break the protocol, fall silent.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LinkLimits, Refusal } from "../link.ts";
import { ZmtpRouter } from "./router.ts";
import { encoded, encodeError, encodeGreeting, encodePing, encodePong, encodeReady } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";

interface Heard {
  readonly peer: string;
  readonly texts: readonly string[];
}

let router: ZmtpRouter;
let address = "";
let peers: RawPeer[] = [];
let heard: Heard[] = [];
let news: string[] = [];
let refusals: Refusal[] = [];
let onNews = () => {};

beforeEach(() => start());

afterEach(async () => {
  for (const { socket } of peers) socket.destroy();
  await router.close(0);
});

async function start(limits: Partial<LinkLimits> = {}): Promise<void> {
  peers = [];
  heard = [];
  news = [];
  refusals = [];
  router = new ZmtpRouter(
    {
      onMessage: (peer, frames) => {
        heard.push({ peer, texts: frames.map((frame) => Buffer.from(frame).toString()) });
        onNews();
      },
      onPeerUp: (peer) => tell(`up ${peer}`),
      onPeerDown: (peer) => tell(`down ${peer}`),
      onRefused: (refusal, peer) => {
        refusals.push(refusal);
        tell(`refused ${peer ?? "a stranger"}: ${refusal.code}`);
      },
    },
    { limits },
  );
  address = await router.bind("tcp://127.0.0.1:*");
}

function tell(text: string): void {
  news.push(text);
  onNews();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onNews = resolve;
    });
  }
}

async function stranger(): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  peers.push(peer);
  return peer;
}

async function peerCalled(routingId: string): Promise<RawPeer> {
  const peer = await stranger();
  peer.introduce(routingId);
  await until(() => news.includes(`up ${routingId}`));
  return peer;
}

const hello = encoded([[Buffer.from("hello")]]);

describe("introductions", () => {
  test("may come byte by byte", async () => {
    const peer = await stranger();
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.concat([encodeGreeting(), encodeReady("DEALER", "slow"), hello])) {
      peer.write(Uint8Array.of(byte));
      await new Promise<void>((resolve) => peer.socket.write("", () => resolve()));
    }
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ peer: "slow", texts: ["hello"] }]);
  });

  test("may come all at once, with messages behind them", async () => {
    const peer = await stranger();
    peer.write(encodeGreeting(), encodeReady("DEALER", "hasty"), hello, hello);
    await until(() => heard.length === 2);
    expect(news).toEqual(["up hasty"]);
  });

  test("of version 3.0 are understood", async () => {
    const greeting = encodeGreeting();
    greeting[11] = 0;
    const peer = await stranger();
    peer.write(greeting, encodeReady("REQ", "old"), hello);
    await until(() => heard.length > 0);
    expect(router.send("old", [Buffer.from("welcome")])).toBe("queued");
    await peer.expect(encoded([[Buffer.from("welcome")]]));
  });

  test("without a routing id get a name that nobody can claim", async () => {
    const peer = await stranger();
    peer.introduce("");
    peer.write(hello);
    await until(() => heard.length > 0);
    const name = heard[0]?.peer ?? "";
    expect(name.startsWith("\0")).toBe(true);
    expect(router.send(name, [Buffer.from("welcome")])).toBe("queued");
    await peer.expect(encoded([[Buffer.from("welcome")]]));
    const thief = await stranger();
    thief.introduce(name);
    await thief.closed;
    await until(() => refusals.length > 0);
    expect(refusals[0]).toMatchObject({
      code: "ROUTING_ID",
      remoteAddress: expect.stringContaining("tcp://127.0.0.1:"),
    });
  });

  test("under a routing id that is in use end before READY, and its owner keeps it", async () => {
    const owner = await peerCalled("same");
    const second = await stranger();
    second.introduce("same");
    await second.closed;
    expect(second.received).toHaveLength(64);
    expect(news).toEqual(["up same", "refused a stranger: ROUTING_ID"]);
    router.send("same", [Buffer.from("yours")]);
    await owner.expect(encoded([[Buffer.from("yours")]]));
  });

  test("under a routing id whose owner has left are welcome", async () => {
    const owner = await peerCalled("same");
    owner.socket.destroy();
    await until(() => news.includes("down same"));
    const next = await stranger();
    next.introduce("same");
    await until(() => news.length === 3);
    expect(news).toEqual(["up same", "down same", "up same"]);
  });

  test.each<[string, string, () => Uint8Array[]]>([
    ["is HTTP", "PROTOCOL", () => [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    ["is ZMTP 1", "PROTOCOL", () => [Uint8Array.of(1, 0)]],
    ["is ZMTP 2", "INCOMPATIBLE", () => [Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1)]],
    ["insists on passwords", "INCOMPATIBLE", () => [plainGreeting()]],
    ["is a publisher", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("PUB", "")]],
    ["says nothing of itself", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("", "")]],
    [
      "claims a routing id of 256 bytes",
      "ROUTING_ID",
      () => [encodeGreeting(), encodeReady("DEALER", "x".repeat(256))],
    ],
    ["sends a message instead of READY", "PROTOCOL", () => [encodeGreeting(), hello]],
    ["sends a PING instead of READY", "PROTOCOL", () => [encodeGreeting(), encodePing(1_000)]],
    ["refuses us", "REFUSED", () => [encodeGreeting(), encodeError("no entry")]],
    ["sends READY twice", "PROTOCOL", () => [encodeGreeting(), encodeReady("DEALER", ""), encodeReady("DEALER", "")]],
    ["sends half a property", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(4, 8, 5, 82, 69, 65, 68, 89, 1, 65)]],
    ["sets reserved flags", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(8, 0)]],
    ["sends a command in parts", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(5, 0)]],
    ["sends an endless command", "FRAME_TOO_LARGE", () => [encodeGreeting(), Uint8Array.of(6, 0, 0, 0, 0, 1, 0, 0, 0)]],
  ])("of somebody who %s cost the connection: %s, and nobody else theirs", async (_what, code, pieces) => {
    const good = await peerCalled("good");
    const bad = await stranger();
    bad.write(...pieces());
    await bad.closed;
    await until(() => refusals.length > 0);
    expect(refusals.map((refusal) => refusal.code)).toEqual([code]);
    good.write(hello);
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ peer: "good", texts: ["hello"] }]);
  });

  test("of the wrong kind are told why", async () => {
    const publisher = await stranger();
    publisher.introduce("", "PUB");
    await publisher.expect(encodeError('a ROUTER does not talk to "PUB"'));
  });
});

describe("bounds", () => {
  const many = (count: number, bytes: number) =>
    encoded([Array.from({ length: count }, () => Buffer.alloc(bytes, "x"))]);

  test.each<[string, Partial<LinkLimits>, Uint8Array, Uint8Array]>([
    ["FRAME_TOO_LARGE", { maxFrameBytes: 1_000 }, many(1, 1_000), many(1, 1_001)],
    ["MESSAGE_TOO_LARGE", { maxMessageBytes: 1_000 }, many(10, 100), many(10, 101)],
    ["TOO_MANY_FRAMES", { maxFrames: 10 }, many(10, 1), many(11, 1)],
  ])("%s: what keeps the bound arrives, what exceeds it costs the connection", async (code, limits, within, beyond) => {
    await router.close(0);
    await start(limits);
    const good = await peerCalled("good");
    const bad = await peerCalled("bad");
    bad.write(within, beyond);
    await until(() => news.includes("down bad"));
    expect(heard.map(({ peer }) => peer)).toEqual(["bad"]);
    expect(news.slice(-2)).toEqual([`refused bad: ${code}`, "down bad"]);
    good.write(hello);
    await until(() => heard.length === 2);
  });

  test("TOO_MANY_PEERS: there is room again when one has left", async () => {
    await router.close(0);
    await start({ maxPeers: 1 });
    const first = await peerCalled("first");
    const second = await stranger();
    await second.closed;
    expect(news).toEqual(["up first", "refused a stranger: TOO_MANY_PEERS"]);
    first.socket.destroy();
    await until(() => news.includes("down first"));
    await peerCalled("third");
  });

  test("HANDSHAKE_TIMEOUT: whoever does not introduce itself in time is cut off", async () => {
    await router.close(0);
    await start({ handshakeTimeoutMs: 20 });
    const silent = await stranger();
    const slow = await stranger();
    slow.write(encodeGreeting());
    await Promise.all([silent.closed, slow.closed]);
    await until(() => refusals.length === 2);
    expect(refusals.map(({ code }) => code)).toEqual(["HANDSHAKE_TIMEOUT", "HANDSHAKE_TIMEOUT"]);
  });
});

describe("PING", () => {
  test("is answered with its context, between the frames of a message too", async () => {
    const peer = await peerCalled("p");
    const [start = Buffer.alloc(0), end = Buffer.alloc(0)] = [Uint8Array.of(1, 1, 97), Uint8Array.of(0, 1, 98)];
    const ping = Uint8Array.of(4, 10, 4, 80, 73, 78, 71, 0, 0, 1, 2, 3);
    peer.write(start, ping, end);
    await peer.expect(encodePong(Uint8Array.of(1, 2, 3)));
    await until(() => heard.length > 0);
    expect(heard).toEqual([{ peer: "p", texts: ["a", "b"] }]);
  });

  test("says after how much silence its sender is gone", async () => {
    const peer = await peerCalled("p");
    peer.write(encodePing(100));
    await until(() => news.includes("down p"));
    expect(news).toEqual(["up p", "refused p: SILENCE", "down p"]);
  });

  test("with a context beyond the bound costs the connection", async () => {
    const peer = await peerCalled("p");
    peer.write(Uint8Array.of(4, 24, 4, 80, 73, 78, 71, 0, 0), Buffer.alloc(17));
    await until(() => news.includes("down p"));
    expect(news).toEqual(["up p", "refused p: PROTOCOL", "down p"]);
  });
});

test("what was sent to a peer that is gone is told before its end", async () => {
  await router.close(0);
  const told: string[] = [];
  router = new ZmtpRouter({
    onMessage: () => {},
    onPeerUp: () => onNews(),
    onUndelivered: (_peer, [frame]) => told.push(`undelivered ${frame?.[0]}`),
    onPeerDown: () => {
      told.push("down");
      onNews();
    },
  });
  address = await router.bind("tcp://127.0.0.1:*");
  const mute = await stranger();
  mute.socket.pause();
  const isUp = new Promise<void>((resolve) => {
    onNews = resolve;
  });
  mute.introduce("mute");
  await isUp;
  let accepted = 0;
  while (router.send("mute", [Buffer.alloc(100_000, accepted % 256)]) !== "slow") accepted += 1;
  mute.socket.destroy();
  await until(() => told.includes("down"));
  expect(told.at(-1)).toBe("down");
  expect(told.length).toBeGreaterThan(5);
  expect(told.at(-2)).toBe(`undelivered ${accepted % 256}`);
});

function plainGreeting(): Buffer {
  const greeting = encodeGreeting();
  greeting.write("PLAIN", 12, "latin1");
  return greeting;
}

test("a write that is under way stays as it was while others are written to", async () => {
  const slow = await peerCalled("slow");
  const quick = await peerCalled("quick");
  slow.socket.pause();
  const sent: Buffer[] = [];
  const next = () => Buffer.alloc(10_000, `${sent.length};`);
  for (let frame = next(); router.send("slow", [frame]) !== "slow"; frame = next()) sent.push(frame);
  sent.push(next());
  // With memory that the slow one's write still lies in, if it was given back too soon.
  for (let round = 0; round < 40; round++) router.send("quick", [Buffer.alloc(10_000, "quick")]);
  router.send("quick", [Buffer.from("the end")]);
  await quick.expect(encoded([[Buffer.from("the end")]]));
  slow.socket.resume();
  const [last = Buffer.alloc(0)] = sent.slice(-1);
  await slow.expect(encoded([[last]]));
  expect(slow.messages().every(([text], index) => text === sent[index]?.toString())).toBe(true);
  expect(slow.messages()).toHaveLength(sent.length);
});

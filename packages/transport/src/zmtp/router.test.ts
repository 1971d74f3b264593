// A router with peers of any kind: odd handshakes, violations of the protocol, silence.

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../clock.ts";
import type { LinkLimits } from "../link.ts";
import { EVICTION_AGE_MS } from "./connection-bounds.ts";
import {
  encoded,
  encodeError,
  encodeGreeting,
  encodeOurDealer,
  encodePing,
  encodePong,
  encodeReady,
} from "./testing/encoded.ts";
import { RouterWithPeers } from "./testing/router-with-peers.ts";

interface Received {
  readonly peer: string;
  readonly texts: readonly string[];
}

const peers = new RouterWithPeers();
let received: Received[] = [];

beforeEach(() => start());

afterEach(() => peers.close());

function start(limits: Partial<LinkLimits> = {}): Promise<void> {
  received = [];
  return peers.start(limits, {
    onMessage: (peer, frames) => {
      received.push({ peer, texts: frames.map((frame) => Buffer.from(frame).toString()) });
      peers.wake();
    },
    onPeerDown: (peer) => peers.report(`down ${peer}`),
  });
}

const hello = encoded([[Buffer.from("hello")]]);

describe("handshakes", () => {
  test("may arrive byte by byte", async () => {
    const peer = await peers.rawPeer();
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.concat([encodeGreeting(), encodeReady("DEALER", "slow"), hello])) {
      peer.write(Uint8Array.of(byte));
      await new Promise<void>((resolve) => peer.socket.write("", () => resolve()));
    }
    await peers.until(() => received.length > 0);
    expect(received).toEqual([{ peer: "slow", texts: ["hello"] }]);
  });

  test("may arrive at once, followed by messages", async () => {
    const peer = await peers.rawPeer();
    peer.write(encodeGreeting(), encodeReady("DEALER", "hasty"), hello, hello);
    await peers.until(() => received.length === 2);
    expect(peers.events).toEqual(["up hasty"]);
  });

  test("of version 3.0 are accepted", async () => {
    const greeting = encodeGreeting();
    greeting[11] = 0;
    const peer = await peers.rawPeer();
    peer.write(greeting, encodeReady("REQ", "old"), hello);
    await peers.until(() => received.length > 0);
    expect(peers.router.send("old", [Buffer.from("welcome")])).toBe("queued");
    await peer.expect(encoded([[Buffer.from("welcome")]]));
  });

  test("without a routing id get a name that no peer can claim", async () => {
    const peer = await peers.rawPeer();
    peer.introduce("");
    peer.write(hello);
    await peers.until(() => received.length > 0);
    const name = received[0]?.peer ?? "";
    expect(name.startsWith("\0")).toBe(true);
    expect(peers.router.send(name, [Buffer.from("welcome")])).toBe("queued");
    await peer.expect(encoded([[Buffer.from("welcome")]]));
    const thief = await peers.rawPeer();
    thief.introduce(name);
    await thief.closed;
    await peers.until(() => peers.rejections.length > 0);
    expect(peers.rejections[0]).toMatchObject({
      code: "ROUTING_ID",
      remoteAddress: expect.stringContaining("tcp://127.0.0.1:"),
    });
  });

  test("with a routing id in use end before READY, and its owner keeps it", async () => {
    const owner = await peers.connectedPeer("same");
    const second = await peers.rawPeer();
    second.introduce("same");
    await second.closed;
    expect(second.received).toHaveLength(64);
    expect(peers.events).toEqual(["up same", "rejected unknown: ROUTING_ID"]);
    peers.router.send("same", [Buffer.from("yours")]);
    await owner.expect(encoded([[Buffer.from("yours")]]));
  });

  test("with a routing id in use that connect again after ERROR get one with the reason", async () => {
    await peers.connectedPeer("same");
    const second = await peers.rawPeer();
    second.write(encodeGreeting(), encodeOurDealer("READY", "same"));
    await second.closed;
    const error = encodeError("ROUTING_ID: the routing id belongs to another connection");
    expect(second.received.subarray(64)).toEqual(error);
  });

  test("with a routing id whose owner has left are accepted", async () => {
    const owner = await peers.connectedPeer("same");
    owner.socket.destroy();
    await peers.until(() => peers.events.includes("down same"));
    const next = await peers.rawPeer();
    next.introduce("same");
    await peers.until(() => peers.events.length === 3);
    expect(peers.events).toEqual(["up same", "down same", "up same"]);
  });

  test.each<[string, string, () => Uint8Array[]]>([
    ["is HTTP", "PROTOCOL", () => [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    ["is ZMTP 1", "PROTOCOL", () => [Uint8Array.of(1, 0)]],
    ["is ZMTP 2", "INCOMPATIBLE", () => [Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1)]],
    ["uses PLAIN", "INCOMPATIBLE", () => [plainGreeting()]],
    ["is a publisher", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("PUB", "")]],
    ["has no socket type", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("", "")]],
    [
      "claims a routing id of 256 bytes",
      "ROUTING_ID",
      () => [encodeGreeting(), encodeReady("DEALER", "x".repeat(256))],
    ],
    ["sends a message instead of READY", "PROTOCOL", () => [encodeGreeting(), hello]],
    ["sends a PING instead of READY", "PROTOCOL", () => [encodeGreeting(), encodePing(1_000)]],
    ["sends ERROR", "REFUSED", () => [encodeGreeting(), encodeError("no entry")]],
    ["sends READY twice", "PROTOCOL", () => [encodeGreeting(), encodeReady("DEALER", ""), encodeReady("DEALER", "")]],
    ["sends half a property", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(4, 8, 5, 82, 69, 65, 68, 89, 1, 65)]],
    ["sets reserved flags", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(8, 0)]],
    ["sends a command in parts", "PROTOCOL", () => [encodeGreeting(), Uint8Array.of(5, 0)]],
    ["sends an endless command", "FRAME_TOO_LARGE", () => [encodeGreeting(), Uint8Array.of(6, 0, 0, 0, 0, 1, 0, 0, 0)]],
  ])("of a peer that %s end only its own connection (%s)", async (_what, code, pieces) => {
    const good = await peers.connectedPeer("good");
    const bad = await peers.rawPeer();
    bad.write(...pieces());
    await bad.closed;
    await peers.until(() => peers.rejections.length > 0);
    expect(peers.rejections.map((rejection) => rejection.code)).toEqual([code]);
    good.write(hello);
    await peers.until(() => received.length > 0);
    expect(received).toEqual([{ peer: "good", texts: ["hello"] }]);
  });

  test("with a wrong socket type get an ERROR with the reason", async () => {
    const publisher = await peers.rawPeer();
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
  ])(
    "%s: a message within the bound arrives, and one over it ends the connection",
    async (code, limits, within, beyond) => {
      await start(limits);
      const good = await peers.connectedPeer("good");
      const bad = await peers.connectedPeer("bad");
      bad.write(within, beyond);
      await peers.until(() => peers.events.includes("down bad"));
      expect(received.map(({ peer }) => peer)).toEqual(["bad"]);
      expect(peers.events.slice(-2)).toEqual([`rejected bad: ${code}`, "down bad"]);
      good.write(hello);
      await peers.until(() => received.length === 2);
    },
  );

  test("TOO_MANY_CONNECTIONS: a peer can connect again when another has left", async () => {
    await start({ maxConnections: 1 });
    const first = await peers.connectedPeer("first");
    const second = await peers.rawPeer();
    await second.closed;
    expect(peers.events).toEqual(["up first", "rejected unknown: TOO_MANY_CONNECTIONS"]);
    first.socket.destroy();
    await peers.until(() => peers.events.includes("down first"));
    await peers.connectedPeer("third");
  });

  test("TOO_MANY_FROM_ADDRESS: connections of one address have a bound", async () => {
    await start({ maxConnectionsPerAddress: 1 });
    await peers.connectedPeer("first");
    await (await peers.rawPeer()).closed;
    await peers.until(() => peers.rejections.length === 1);
    expect(peers.rejections).toMatchObject([
      { code: "TOO_MANY_FROM_ADDRESS", remoteAddress: expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/) },
    ]);
  });

  test("IDLE: a peer that never sent a message is disconnected in time, and one that did is not", async () => {
    await start({ idleConnectionMs: 500 });
    const silent = await peers.rawPeer();
    const idle = await peers.connectedPeer("idle");
    const used = await peers.connectedPeer("used");
    used.write(hello);
    await Promise.all([silent.closed, idle.closed]);
    await peers.until(() => peers.rejections.length === 2);
    const ends = peers.events.filter((event) => !event.startsWith("up "));
    expect(ends.sort()).toEqual(["down idle", "rejected idle: IDLE", "rejected unknown: IDLE"]);
    expect(peers.router.send("used", [Buffer.from("still here")])).toBe("queued");
  });

  test("a peer whose first message is slow is not idle", async () => {
    await start({ idleConnectionMs: 500 });
    const slow = await peers.connectedPeer("slow");
    slow.write(hello.subarray(0, 3));
    await peers.connectedPeer("idle");
    await peers.until(() => peers.events.includes("down idle"));
    slow.write(hello.subarray(3));
    await peers.until(() => received.length === 1);
    expect(peers.events).toEqual(["up slow", "up idle", "rejected idle: IDLE", "down idle"]);
  });

  test("an idle peer makes room for another", async () => {
    const now = vi.spyOn(systemClock, "now");
    onTestFinished(() => now.mockRestore());
    await start({ maxConnections: 2 });
    const first = await peers.connectedPeer("first");
    first.write(hello);
    await peers.connectedPeer("second");
    await peers.until(() => received.length === 1);
    const later = systemClock.now() + EVICTION_AGE_MS;
    now.mockImplementation(() => later);
    await peers.connectedPeer("third");
    await peers.until(() => peers.events.includes("down second"));
    expect(peers.events).toContain("rejected second: IDLE");
    expect(peers.router.send("first", [Buffer.from("still here")])).toBe("queued");
  });

  test("HANDSHAKE_TIMEOUT: a peer without a handshake in time is disconnected", async () => {
    await start({ handshakeTimeoutMs: 20 });
    const silent = await peers.rawPeer();
    const slow = await peers.rawPeer();
    slow.write(encodeGreeting());
    await Promise.all([silent.closed, slow.closed]);
    await peers.until(() => peers.rejections.length === 2);
    expect(peers.rejections.map(({ code }) => code)).toEqual(["HANDSHAKE_TIMEOUT", "HANDSHAKE_TIMEOUT"]);
  });
});

describe("PING", () => {
  test("is answered with its context, also between the frames of a message", async () => {
    const peer = await peers.connectedPeer("p");
    const [start = Buffer.alloc(0), end = Buffer.alloc(0)] = [Uint8Array.of(1, 1, 97), Uint8Array.of(0, 1, 98)];
    const ping = Uint8Array.of(4, 10, 4, 80, 73, 78, 71, 0, 0, 1, 2, 3);
    peer.write(start, ping, end);
    await peer.expect(encodePong(Uint8Array.of(1, 2, 3)));
    await peers.until(() => received.length > 0);
    expect(received).toEqual([{ peer: "p", texts: ["a", "b"] }]);
  });

  test("sets the silence after which its sender is disconnected", async () => {
    const peer = await peers.connectedPeer("p");
    peer.write(encodePing(100));
    await peers.until(() => peers.events.includes("down p"));
    expect(peers.events).toEqual(["up p", "rejected p: SILENCE", "down p"]);
  });

  test("with a context over the bound ends the connection", async () => {
    const peer = await peers.connectedPeer("p");
    peer.write(Uint8Array.of(4, 24, 4, 80, 73, 78, 71, 0, 0), Buffer.alloc(17));
    await peers.until(() => peers.events.includes("down p"));
    expect(peers.events).toEqual(["up p", "rejected p: PROTOCOL", "down p"]);
  });
});

test("messages for a peer that has left are reported before its end", async () => {
  const reports: string[] = [];
  await peers.start(
    {},
    {
      onUndelivered: (_peer, [frame]) => reports.push(`undelivered ${frame?.[0]}`),
      onPeerDown: () => {
        reports.push("down");
        peers.wake();
      },
    },
  );
  const mute = await peers.rawPeer();
  mute.socket.pause();
  mute.introduce("mute");
  await peers.until(() => peers.events.includes("up mute"));
  let accepted = 0;
  while (peers.router.send("mute", [Buffer.alloc(100_000, accepted % 256)]) !== "slow") accepted += 1;
  mute.socket.destroy();
  await peers.until(() => reports.includes("down"));
  expect(reports.at(-1)).toBe("down");
  expect(reports.length).toBeGreaterThan(5);
  expect(reports.at(-2)).toBe(`undelivered ${accepted % 256}`);
});

function plainGreeting(): Buffer {
  const greeting = encodeGreeting();
  greeting.write("PLAIN", 12, "latin1");
  return greeting;
}

test("a write in progress keeps its bytes while other peers are written to", async () => {
  const slow = await peers.connectedPeer("slow");
  const quick = await peers.connectedPeer("quick");
  slow.socket.pause();
  const sent: Buffer[] = [];
  const next = () => Buffer.alloc(10_000, `${sent.length};`);
  for (let frame = next(); peers.router.send("slow", [frame]) !== "slow"; frame = next()) sent.push(frame);
  sent.push(next());
  // These would overwrite the buffers of the slow peer's write, if they were reused too early.
  for (let round = 0; round < 40; round++) peers.router.send("quick", [Buffer.alloc(10_000, "quick")]);
  peers.router.send("quick", [Buffer.from("the end")]);
  await quick.expect(encoded([[Buffer.from("the end")]]));
  slow.socket.resume();
  const [last = Buffer.alloc(0)] = sent.slice(-1);
  await slow.expect(encoded([[last]]));
  expect(slow.messages().every(([text], index) => text === sent[index]?.toString())).toBe(true);
  expect(slow.messages()).toHaveLength(sent.length);
});

test("closing takes no longer than writing what was sent, whatever the linger", async () => {
  const peer = await peers.connectedPeer("p");
  peers.router.send("p", [Buffer.from("the end")]);
  await peers.router.close(600_000);
  await peer.closed;
  expect(peer.messages()).toEqual([["the end"]]);
});

test("a closed router binds no address", async () => {
  await peers.router.close(0);
  const address = "tcp://127.0.0.1:*";
  const message = `cannot bind ${address}: the router is closed`;
  await expect(peers.router.bind(address)).rejects.toMatchObject({ code: "CLOSED", message, address });
});

test("a router cannot unbind an address that it does not have", async () => {
  const unbound = "tcp://127.0.0.1:1";
  const message = `cannot unbind ${unbound}: it is not bound`;
  await expect(peers.router.unbind(unbound)).rejects.toMatchObject({ code: "ADDRESS_INVALID", message });
});

// A router, a publisher and a dealer whose peers do not read, or read slowly.

import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { LinkLimits } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpPublisher } from "./publisher.ts";
import type { ZmtpRouter } from "./router.ts";
import { encoded, encodeGreeting, encodeReady, encodeSubscribe } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";
import { RouterWithPeers } from "./testing/router-with-peers.ts";

/** More than the kernel's buffers of one connection take. */
const LONG = 16_000_000;

const peers = new RouterWithPeers();
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await peers.close();
});

async function start(limits: Partial<LinkLimits>): Promise<ZmtpRouter> {
  await peers.start(limits, {
    onUndelivered: (peer) => peers.report(`undelivered ${peer}`),
    onPeerDown: (peer) => peers.report(`down ${peer}`),
  });
  return peers.router;
}

/** A peer that reads nothing any more. */
async function mutePeer(routingId: string): Promise<RawPeer> {
  const peer = await peers.connectedPeer(routingId);
  peer.socket.pause();
  return peer;
}

/** Reads as many bytes every 50 ms, and keeps none. */
function readSlowly(socket: Socket, bytes: number): void {
  socket.removeAllListeners("data");
  let left = 0;
  socket.on("data", ({ length }: Buffer) => {
    left -= length;
    if (left <= 0) socket.pause();
  });
  const timer = setInterval(() => {
    left = bytes;
    socket.resume();
  }, 50);
  socket.once("close", () => clearInterval(timer));
}

test("TOO_MUCH_WAITING: at the bound of all peers the one for which most waits is disconnected, and others get their messages", async () => {
  const link = await start({ maxSendingBytes: 3 * LONG, maxQueuedBytes: 10 * LONG });
  const honest = await peers.connectedPeer("honest");
  for (const name of ["a", "b", "c"]) await mutePeer(name);
  // One long message is being written, which counts, and others wait.
  for (const name of ["a", "b"]) expect(link.send(name, [Buffer.alloc(LONG)])).toBe("queued");
  for (let sent = 0; sent < 10; sent++) link.send("b", [Buffer.alloc(LONG / 20)]);
  expect(link.send("c", [Buffer.alloc(LONG)])).toBe("queued");
  await peers.until(() => peers.events.includes("down b"));
  expect(peers.events.slice(-3)).toEqual(["undelivered b", "rejected b: TOO_MUCH_WAITING", "down b"]);
  expect(peers.rejections).toHaveLength(1);
  expect(peers.rejections[0]?.remoteAddress).toContain("tcp://127.0.0.1:");
  expect(peers.events.filter((event) => event === "undelivered b")).toHaveLength(10);
  expect(link.send("honest", [Buffer.from("hello")])).toBe("queued");
  await honest.expect(encoded([[Buffer.from("hello")]]));
  expect(link.send("b", [Buffer.from("late")])).toBe("unreachable");
});

test("NOT_READING: a peer that takes nothing is disconnected, and one that reads slowly gets a long message", async () => {
  const link = await start({ sendStallTimeoutMs: 1_000, minProgressBytes: 1_000 });
  await mutePeer("mute");
  const slow = await mutePeer("slow");
  for (const name of ["mute", "slow"]) link.send(name, [Buffer.alloc(LONG)]);
  link.send("mute", [Buffer.from("waits")]);
  link.send("slow", [Buffer.from("the end")]);
  const ended = new Promise<void>((resolve) => {
    let last = Buffer.alloc(0);
    readSlowly(slow.socket, 300_000);
    slow.socket.on("data", (chunk: Buffer) => {
      last = Buffer.concat([last, chunk]).subarray(-100);
      if (last.includes("the end")) resolve();
    });
  });
  await peers.until(() => peers.events.includes("down mute"));
  expect(peers.events.slice(-3)).toEqual(["undelivered mute", "rejected mute: NOT_READING", "down mute"]);
  expect(peers.rejections[0]?.detail).toMatch(
    /^it took 0 bytes in 1000 ms while \d{8} waited for it; the minimum is 1000$/,
  );
  await ended;
  expect(peers.events).not.toContain("down slow");
});

test("NOT_READING: a publisher disconnects a subscriber that reads nothing", async () => {
  peers.events = [];
  const publisher = new ZmtpPublisher(
    { onRejected: ({ code }) => peers.report(code) },
    { limits: { sendStallTimeoutMs: 200 } },
  );
  const address = await publisher.bind("tcp://127.0.0.1:*");
  const subscriber = await RawPeer.connect(address);
  sockets.push(subscriber.socket);
  publisher.publish([Buffer.alloc(LONG)]);
  subscriber.introduce("", "SUB");
  subscriber.socket.pause();
  subscriber.write(encodeSubscribe("", true));
  await peers.until(() => peers.events.length > 0);
  expect(peers.events).toEqual(["NOT_READING"]);
  await publisher.close();
});

test("NOT_READING: a dealer leaves a router that reads nothing, and returns what waits when it closes", async () => {
  peers.events = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(Buffer.concat([encodeGreeting(), encodeReady("ROUTER", "")]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const dealer = new ZmtpDealer(
    {
      onMessage: () => {},
      onUp: () => peers.report("up"),
      onRejected: ({ code, detail }) => peers.report(`${code}: ${detail}`),
      onDown: () => peers.report("down"),
      onUndelivered: ([frame]) => peers.report(`undelivered ${frame}`),
    },
    { routingId: "d", limits: { sendStallTimeoutMs: 200 } },
  );
  dealer.connect(`tcp://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`);
  await peers.until(() => peers.events.includes("up"));
  expect(dealer.send([Buffer.alloc(LONG)])).toBe("queued");
  expect(dealer.send([Buffer.from("waits")])).toBe("queued");
  await peers.until(() => peers.events.includes("down"));
  expect(peers.events[1]).toMatch(/^NOT_READING: it took 0 bytes/);
  server.close();
  await dealer.close(0);
  expect(peers.events.at(-1)).toBe("undelivered waits");
});

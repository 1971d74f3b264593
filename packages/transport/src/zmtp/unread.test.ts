// A router, a publisher and a dealer whose peers do not read, or read slowly.

import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { ConnectionRejection, LinkLimits } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpPublisher } from "./publisher.ts";
import { ZmtpRouter } from "./router.ts";
import { encoded, encodeGreeting, encodeReady, encodeSubscribe } from "./testing/encoded.ts";
import { RawPeer } from "./testing/raw-peer.ts";

/** More than the kernel's buffers of one connection take. */
const LONG = 16_000_000;

let router: ZmtpRouter | undefined;
let address = "";
let sockets: Socket[] = [];
let events: string[] = [];
let rejections: ConnectionRejection[] = [];
let onEvent = () => {};

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await router?.close(0);
  router = undefined;
});

async function start(limits: Partial<LinkLimits>): Promise<ZmtpRouter> {
  events = [];
  rejections = [];
  router = new ZmtpRouter(
    {
      onMessage: () => {},
      onPeerUp: (peer) => report(`up ${peer}`),
      onUndelivered: (peer) => report(`undelivered ${peer}`),
      onPeerDown: (peer) => report(`down ${peer}`),
      onRejected: (rejection, peer) => {
        rejections.push(rejection);
        report(`rejected ${peer}: ${rejection.code}`);
      },
    },
    { limits },
  );
  address = await router.bind("tcp://127.0.0.1:*");
  return router;
}

function report(text: string): void {
  events.push(text);
  onEvent();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onEvent = resolve;
    });
  }
}

async function connectedPeer(routingId: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  sockets.push(peer.socket);
  peer.introduce(routingId);
  await until(() => events.includes(`up ${routingId}`));
  return peer;
}

/** A peer that reads nothing any more. */
async function mutePeer(routingId: string): Promise<RawPeer> {
  const peer = await connectedPeer(routingId);
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

test("TOO_MUCH_WAITING: at the bound of all peers the one that most waits for goes, and others get their messages", async () => {
  const link = await start({ maxSendingBytes: 3 * LONG, maxQueuedBytes: 10 * LONG });
  const honest = await connectedPeer("honest");
  for (const name of ["a", "b", "c"]) await mutePeer(name);
  // One long message is being written, which counts, and others wait.
  for (const name of ["a", "b"]) expect(link.send(name, [Buffer.alloc(LONG)])).toBe("queued");
  for (let sent = 0; sent < 10; sent++) link.send("b", [Buffer.alloc(LONG / 20)]);
  expect(link.send("c", [Buffer.alloc(LONG)])).toBe("queued");
  await until(() => events.includes("down b"));
  expect(events.slice(-3)).toEqual(["undelivered b", "rejected b: TOO_MUCH_WAITING", "down b"]);
  expect(rejections).toHaveLength(1);
  expect(rejections[0]?.remoteAddress).toContain("tcp://127.0.0.1:");
  expect(events.filter((event) => event === "undelivered b")).toHaveLength(10);
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
  await until(() => events.includes("down mute"));
  expect(events.slice(-3)).toEqual(["undelivered mute", "rejected mute: NOT_READING", "down mute"]);
  expect(rejections[0]?.detail).toMatch(/^it took 0 bytes in 1000 ms while \d{8} waited for it; the minimum is 1000$/);
  await ended;
  expect(events).not.toContain("down slow");
});

test("NOT_READING: a publisher disconnects a subscriber that reads nothing", async () => {
  events = [];
  const publisher = new ZmtpPublisher(
    { onRejected: ({ code }) => report(code) },
    { limits: { sendStallTimeoutMs: 200 } },
  );
  address = await publisher.bind("tcp://127.0.0.1:*");
  const subscriber = await RawPeer.connect(address);
  sockets.push(subscriber.socket);
  publisher.publish([Buffer.alloc(LONG)]);
  subscriber.introduce("", "SUB");
  subscriber.socket.pause();
  subscriber.write(encodeSubscribe("", true));
  await until(() => events.length > 0);
  expect(events).toEqual(["NOT_READING"]);
  await publisher.close();
});

test("NOT_READING: a dealer leaves a router that reads nothing, and returns what waits when it closes", async () => {
  events = [];
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
      onUp: () => report("up"),
      onRejected: ({ code, detail }) => report(`${code}: ${detail}`),
      onDown: () => report("down"),
      onUndelivered: ([frame]) => report(`undelivered ${frame}`),
    },
    { routingId: "d", limits: { sendStallTimeoutMs: 200 } },
  );
  dealer.connect(`tcp://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`);
  await until(() => events.includes("up"));
  expect(dealer.send([Buffer.alloc(LONG)])).toBe("queued");
  expect(dealer.send([Buffer.from("waits")])).toBe("queued");
  await until(() => events.includes("down"));
  expect(events[1]).toMatch(/^NOT_READING: it took 0 bytes/);
  server.close();
  await dealer.close(0);
  expect(events.at(-1)).toBe("undelivered waits");
});

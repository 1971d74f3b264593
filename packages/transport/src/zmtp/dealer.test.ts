// A dealer with peers of any kind, byte by byte.

import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DealerHandlers, LinkError, LinkLimits, PeerFacts } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import {
  encoded,
  encodeError,
  encodeGreeting,
  encodeOurDealer,
  encodePing,
  encodePong,
  encodeReady,
} from "./testing/encoded.ts";
import { RawListener } from "./testing/raw-peer.ts";

let listener: RawListener;
let dealer: ZmtpDealer;
let events: string[] = [];
let failures: LinkError[] = [];
let onEvent = () => {};

beforeEach(() => {
  listener = new RawListener();
});

afterEach(async () => {
  listener.close();
  await dealer.close(0);
});

async function connect(
  limits: Partial<LinkLimits> = {},
  address?: string,
  handlers: Partial<DealerHandlers> = {},
): Promise<void> {
  events = [];
  failures = [];
  const report = (text: string) => {
    events.push(text);
    onEvent();
  };
  dealer = new ZmtpDealer(
    {
      onMessage: (frames) => report(`message ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`),
      onUp: () => report("up"),
      onDown: () => report("down"),
      onRejected: ({ code }) => report(`rejected ${code}`),
      onAttemptFailed: (error) => {
        failures.push(error);
        onEvent();
      },
      ...handlers,
    },
    { routingId: "d", reconnectMs: 1, reconnectMaxMs: 5, limits },
  );
  dealer.connect(address ?? (await listener.listen()));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onEvent = resolve;
    });
  }
}

test("it reports a message that is too large, and the bytes of one that is not whole", async () => {
  const report = (text: string) => {
    events.push(text);
    onEvent();
  };
  await connect({ maxFrameBytes: 300 }, undefined, {
    onOversized: ({ frames, detail }) => report(`oversized ${frames.map(({ length }) => length)}: ${detail}`),
    onReceiving: () => report("receiving"),
  });
  const router = await listener.next();
  router.write(encodeGreeting(), encodeReady("ROUTER", ""), encoded([[Buffer.from("small"), Buffer.alloc(301)]]));
  await until(() => events.length === 2);
  const message = encoded([[Buffer.from("whole"), Buffer.alloc(300)]]);
  router.write(message.subarray(0, 100));
  await until(() => events.length === 3);
  router.write(message.subarray(100));
  await until(() => events.length === 4);
  expect(events).toEqual([
    "up",
    "oversized 5,0: a frame of 301 bytes; the bound is 300",
    "receiving",
    `message whole|${"\0".repeat(300)}`,
  ]);
});

test("it sends only its READY until the other end has sent READY", async () => {
  await connect();
  dealer.send([Buffer.from("early")]);
  const router = await listener.next();
  router.write(encodeGreeting());
  await router.expect(encodeOurDealer("READY", "d"));
  expect(router.messages()).toEqual([]);
  router.write(encodeReady("ROUTER", ""));
  await router.expect(encoded([[Buffer.from("early")]]));
  expect(events).toEqual(["up"]);
});

test.each([
  { over: "tcp", path: undefined },
  { over: "ipc", path: join(tmpdir(), `pigato-${randomUUID()}.sock`) },
])("it knows the address of the other end, over $over", async ({ path }) => {
  const facts = new Promise<PeerFacts>((resolve) => {
    dealer = new ZmtpDealer({ onMessage: () => {}, onUp: resolve }, { routingId: "d", reconnectMs: 1 });
  });
  const address = await listener.listen(path);
  dealer.connect(address);
  (await listener.next()).introduce("", "ROUTER");
  expect(await facts).toEqual({ remoteAddress: address });
});

test("messages sent in onUp leave after those that waited", async () => {
  dealer = new ZmtpDealer(
    { onMessage: () => {}, onUp: () => dealer.send([Buffer.from("later")]) },
    { routingId: "d", reconnectMs: 1 },
  );
  dealer.connect(await listener.listen());
  dealer.send([Buffer.from("early")]);
  const router = await listener.next();
  router.introduce("", "ROUTER");
  await router.expect(encoded([[Buffer.from("later")]]));
  expect(router.messages()).toEqual([["early"], ["later"]]);
});

test("it answers a PING", async () => {
  await connect();
  const router = await listener.next();
  router.introduce("", "ROUTER");
  router.write(encodePing(0));
  await router.expect(encodePong(new Uint8Array(0)));
});

test.each<[string, string, () => Uint8Array[]]>([
  ["HTTP", "PROTOCOL", () => [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]],
  ["a subscriber", "INCOMPATIBLE", () => [encodeGreeting(), encodeReady("SUB", "")]],
  ["an ERROR", "REFUSED", () => [encodeGreeting(), encodeError("full")]],
])("it reports %s in place of a router (%s), and connects to the next router", async (_what, code, pieces) => {
  await connect();
  dealer.send([Buffer.from("hello")]);
  const other = await listener.next();
  other.write(...pieces());
  await other.closed;
  const router = await listener.next();
  router.introduce("", "ROUTER");
  await router.expect(encoded([[Buffer.from("hello")]]));
  expect(events).toEqual([`rejected ${code}`, "up"]);
  expect(failures).toEqual([expect.objectContaining({ code: "REFUSED" })]);
  expect(failures[0]?.message).toContain(`rejected: ${code}, `);
});

test.each([
  ["tcp://127.0.0.1:1", "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1"],
  ["tcp://localhost:1", "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1"],
  ["tcp://host.invalid:1", "ENOTFOUND", "getaddrinfo ENOTFOUND host.invalid"],
  ["ipc:///nonexistent/socket", "ENOENT", "connect ENOENT /nonexistent/socket"],
])("it reports why %s is unreachable: %s", async (address, code, reason) => {
  await connect({}, address);
  await until(() => failures.length > 0);
  const [failure] = failures;
  expect(failure).toMatchObject({ code: "UNREACHABLE", address, cause: { code } });
  expect(failure?.message).toContain(`cannot connect to ${address}: `);
  expect(failure?.message).toContain(reason);
  expect(events).toEqual([]);
});

test("it reports a peer that closes the connection during the handshake", async () => {
  await connect();
  const router = await listener.next();
  router.write(encodeGreeting());
  await router.expect(encodeOurDealer("READY", "d"));
  router.socket.end();
  await until(() => failures.length > 0);
  expect(failures[0]).toMatchObject({ code: "UNREACHABLE", cause: expect.stringContaining("during the handshake") });
});

test("the loss of a connection is no failed attempt", async () => {
  await connect();
  const router = await listener.next();
  router.introduce("", "ROUTER");
  await until(() => events.includes("up"));
  router.socket.destroy();
  await until(() => events.includes("down"));
  expect(failures).toEqual([]);
});

test("it closes a connection without a handshake in time", async () => {
  await connect({ handshakeTimeoutMs: 20 });
  await (await listener.next()).closed;
  await listener.next();
  expect(events[0]).toBe("rejected HANDSHAKE_TIMEOUT");
  expect(failures[0]).toMatchObject({ code: "UNREACHABLE", cause: "no handshake within 20 ms" });
});

test("it delivers what came before a message over a bound, disconnects and reconnects", async () => {
  await connect({ maxFrames: 2 });
  const router = await listener.next();
  router.introduce("", "ROUTER");
  const [one, two, three] = ["1", "2", "3"].map((text) => Buffer.from(text));
  if (one && two && three)
    router.write(
      encoded([
        [one, two],
        [one, two, three],
      ]),
    );
  await router.closed;
  (await listener.next()).introduce("", "ROUTER");
  await until(() => events.filter((each) => each === "up").length === 2);
  expect(events).toEqual(["up", "message 1|2", "rejected TOO_MANY_FRAMES", "down", "up"]);
});

test("messages in the socket are lost with the connection, and waiting ones leave with the next one", async () => {
  await connect();
  const first = await listener.next();
  first.socket.pause();
  first.introduce("", "ROUTER");
  await until(() => events.includes("up"));
  let sent = 0;
  while (dealer.send([Buffer.from(String(sent)), Buffer.alloc(100_000)]) !== "slow") sent += 1;
  first.socket.destroy();
  const second = await listener.next();
  second.introduce("", "ROUTER");
  await second.expect(encoded([[Buffer.from(String(sent)), Buffer.alloc(100_000)]]));
  const numbers = second.messages().map(([number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => sent - numbers.length + 1 + index));
  expect(numbers.length).toBeGreaterThan(5);
  expect(events).toEqual(["up", "down", "up"]);
});

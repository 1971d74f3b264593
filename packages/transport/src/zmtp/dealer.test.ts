// A dealer with peers of any kind, byte by byte.

import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinkLimits } from "../link.ts";
import { ZmtpDealer } from "./dealer.ts";
import { encoded, encodeError, encodeGreeting, encodePing, encodePong, encodeReady } from "./testing/encoded.ts";
import { RawListener } from "./testing/raw-peer.ts";

let listener: RawListener;
let dealer: ZmtpDealer;
let events: string[] = [];
let onEvent = () => {};

beforeEach(() => {
  listener = new RawListener();
});

afterEach(async () => {
  listener.close();
  await dealer.close(0);
});

async function connect(limits: Partial<LinkLimits> = {}): Promise<void> {
  events = [];
  const report = (text: string) => {
    events.push(text);
    onEvent();
  };
  dealer = new ZmtpDealer(
    {
      onMessage: (frames) => report(`message ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`),
      onUp: () => report("up"),
      onDown: () => report("down"),
      onRejected: ({ code }) => report(`refused ${code}`),
    },
    { routingId: "d", reconnectMs: 1, reconnectMaxMs: 5, limits },
  );
  dealer.connect(await listener.listen());
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onEvent = resolve;
    });
  }
}

test("it sends only its READY until the other end has sent READY", async () => {
  await connect();
  dealer.send([Buffer.from("early")]);
  const router = await listener.next();
  router.write(encodeGreeting());
  await router.expect(encodeReady("DEALER", "d"));
  expect(router.messages()).toEqual([]);
  router.write(encodeReady("ROUTER", ""));
  await router.expect(encoded([[Buffer.from("early")]]));
  expect(events).toEqual(["up"]);
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
  expect(events).toEqual([`refused ${code}`, "up"]);
});

test("it closes a connection without a handshake in time", async () => {
  await connect({ handshakeTimeoutMs: 20 });
  await (await listener.next()).closed;
  await listener.next();
  expect(events[0]).toBe("refused HANDSHAKE_TIMEOUT");
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
  expect(events).toEqual(["up", "message 1|2", "refused TOO_MANY_FRAMES", "down", "up"]);
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

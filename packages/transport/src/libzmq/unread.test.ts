// A router over libzmq whose peers do not read. It cannot disconnect them: it drops what waits, and reports them as down.

import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { systemClock } from "../clock.ts";
import type { LinkLimits } from "../link.ts";
import { LibzmqRouter } from "./router.ts";

/** More messages than libzmq takes for a peer that does not read. */
const MANY = 400;
const MESSAGE = Buffer.alloc(10_000);

let router: LibzmqRouter | undefined;
let dealers: Dealer[] = [];
let events: string[] = [];
let onEvent = () => {};
let addresses = 0;

afterEach(async () => {
  for (const dealer of dealers) dealer.close();
  dealers = [];
  await router?.close(0);
});

/** A router and peers that have introduced themselves. */
async function start(limits: Partial<LinkLimits>, names: readonly string[]): Promise<LibzmqRouter> {
  events = [];
  router = new LibzmqRouter(
    {
      onMessage: (peer, [frame]) => report(`message ${peer} ${frame}`),
      onUndelivered: (peer) => report(`undelivered ${peer}`),
      onRejected: ({ code, detail }, peer) => report(`rejected ${peer}: ${code}, ${detail}`),
      onPeerDown: (peer) => report(`down ${peer}`),
    },
    { limits },
  );
  addresses += 1;
  const address = await router.bind(`inproc://unread-${addresses}`);
  for (const routingId of names) {
    const dealer = new Dealer({ routingId, linger: 0, receiveHighWaterMark: 1 });
    dealer.connect(address);
    dealers.push(dealer);
    await dealer.send("hello");
  }
  await until(() => names.every((name) => events.includes(`message ${name} hello`)));
  events = [];
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

test("NOT_READING: a peer that takes no message for a while loses what waits, and counts as new when it sends", async () => {
  const link = await start({ sendStallTimeoutMs: 300 }, ["mute"]);
  for (let sent = 0; sent < MANY; sent++) expect(link.send("mute", [MESSAGE])).not.toBe("congested");
  await until(() => events.includes("down mute"));
  const lost = events.filter((event) => event === "undelivered mute").length;
  expect(lost).toBeGreaterThan(100);
  const waiting = lost * (MESSAGE.length + 192);
  const reason = `NOT_READING, it took no message in 300 ms while ${waiting} bytes waited for it`;
  expect(events.slice(-2)).toEqual([`rejected mute: ${reason}`, "down mute"]);
  const [dealer] = dealers;
  for (let read = 0; read < MANY - lost; read++) await dealer?.receive();
  await dealer?.send("again");
  await until(() => events.includes("message mute again"));
  expect(link.send("mute", [Buffer.from("welcome")])).toBe("queued");
  expect(String(await dealer?.receive())).toBe("welcome");
});

test("TOO_MUCH_WAITING: at the bound of all peers the one for which most waits loses it, and others get their messages", async () => {
  const link = await start({ maxSendingBytes: 3_000_000 }, ["mute", "honest"]);
  for (let sent = 0; sent < MANY; sent++) link.send("mute", [MESSAGE]);
  for (let sent = 0; sent < MANY / 2; sent++) expect(link.send("honest", [MESSAGE])).not.toBe("congested");
  // Not during the call of `send`.
  expect(events).toEqual([]);
  for (let read = 0; read < MANY / 2; read++) await dealers[1]?.receive();
  await until(() => events.includes("down mute"));
  expect(events.at(-2)).toContain("rejected mute: TOO_MUCH_WAITING, more than 3000000 bytes wait for all peers");
  expect(events.filter((event) => event === "down mute")).toHaveLength(1);
  expect(events.some((event) => event.includes("honest"))).toBe(false);
});

test("a peer that takes messages now and then stays, however long it takes", async () => {
  const link = await start({ sendStallTimeoutMs: 1_000 }, ["slow"]);
  for (let sent = 0; sent < MANY; sent++) link.send("slow", [MESSAGE]);
  let passedMs = 0;
  const { now } = systemClock;
  const clock = vi.spyOn(systemClock, "now").mockImplementation(() => now() + passedMs);
  onTestFinished(() => clock.mockRestore());
  for (let read = 0; read < MANY; read++) {
    await dealers[0]?.receive();
    if (read % 20 === 0) passedMs += 200;
  }
  expect(passedMs).toBe(4_000);
  expect(events).toEqual([]);
});

test.each([1, 2])("a peer that is evicted while it is written to is reported once (%d messages)", async (messages) => {
  const link = await start({ maxSendingBytes: 200_000 }, ["large", "other"]);
  for (let sent = 1; sent <= messages; sent++) link.send("large", [Buffer.alloc(150_000 / sent, sent)]);
  // Its first write is under way after a microtask.
  await Promise.resolve();
  link.send("other", [Buffer.alloc(100_000)]);
  await until(() => events.includes("down large"));
  // The message that left is none of them.
  expect(events.filter((event) => event === "undelivered large")).toHaveLength(messages - 1);
  expect((await dealers[0]?.receive())?.[0]?.[0]).toBe(1);
  expect(await dealers[1]?.receive()).toHaveLength(1);
  expect(events.filter((event) => event.startsWith("down"))).toEqual(["down large"]);
});

test("a peer that is evicted and turns out to be gone is reported down once", async () => {
  const link = await start({ maxSendingBytes: 200_000 }, ["other"]);
  link.send("gone", [Buffer.alloc(150_000)]);
  await Promise.resolve();
  link.send("other", [Buffer.alloc(100_000)]);
  expect(await dealers[0]?.receive()).toHaveLength(1);
  link.send("other", [Buffer.from("the end")]);
  expect(String(await dealers[0]?.receive())).toBe("the end");
  expect(events.filter((event) => !event.startsWith("rejected"))).toEqual(["undelivered gone", "down gone"]);
});

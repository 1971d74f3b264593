// Messages arrive complete, unchanged, in order, and only at their receiver.

import { setImmediate as nextTurn } from "node:timers/promises";
import { Inbox } from "@pigato/testkit";
import { type Frames, toBytes } from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import { firstNumbers, message, numbered, numberOf, texts } from "./frames.ts";
import { TRANSPORTS } from "./subject.ts";
import type { TestLinks } from "./test-links.ts";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);
const MEGABYTE = 1024 * 1024;

export function messageCases(links: () => TestLinks): void {
  test.each<[string, Frames]>([
    ["one empty frame", message("")],
    ["empty frames between others", message("", "a", "", "", "b", "")],
    ["every byte", [ALL_BYTES]],
    ["bytes that are no UTF-8", [Uint8Array.of(0xff, 0xfe, 0x00, 0xc3)]],
    ["a view into a larger buffer", [ALL_BYTES.subarray(100, 120), Buffer.alloc(4096, "x").subarray(1000, 3000)]],
    ["frames of 127, 128, 129, 255 and 256 bytes", [127, 128, 129, 255, 256].map((size) => Buffer.alloc(size, "s"))],
    ["64 frames", firstNumbers(64).map((number) => Buffer.from(`frame ${number}`))],
    ["5,000 empty frames", firstNumbers(5_000).map(() => new Uint8Array(0))],
    ["a frame of 10 MB", [Buffer.alloc(10 * MEGABYTE, "0123456789abcdef")]],
    ["eight frames of 1 MB", firstNumbers(8).map((number) => Buffer.alloc(MEGABYTE, number))],
  ])("%s: arrive and return unchanged", async (_what, frames) => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    dealer.link.send(frames);
    const received = await router.messages.take();
    expect(received.peer).toBe("d");
    expectSame(received.frames, frames);
    router.link.send("d", received.frames);
    expectSame(await dealer.messages.take(), frames);
  });

  test("a byte string arrives as its bytes", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    const sent = [
      "",
      "a",
      Buffer.from(ALL_BYTES).toString("latin1"),
      Buffer.from("b"),
      "c".repeat(255),
      "d".repeat(256),
    ];
    const bytes = toBytes(sent);
    dealer.link.send(sent);
    expectSame((await router.messages.take()).frames, bytes);
    router.link.send("d", sent);
    expectSame(await dealer.messages.take(), bytes);
  });

  test("a message without frames throws a TypeError", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    expect(() => dealer.link.send([])).toThrow(TypeError);
    expect(() => router.link.send("d", [])).toThrow(TypeError);
  });

  test("20,000 messages and their replies arrive in order", async () => {
    const router = links().echoRouter();
    const dealer = links().connectedDealer("d", await router.link.bind(links().newAddress()));
    for (const number of firstNumbers(20_000)) dealer.link.send(numbered(number));
    const answers = await dealer.messages.takeMany(20_000);
    expect(answers.map(numberOf)).toEqual(firstNumbers(20_000));
    expect(router.events.items.filter((events) => events.type === "undelivered")).toEqual([]);
  });

  test("small and large messages keep their order", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    const paddings = [Buffer.alloc(0), Buffer.alloc(100_000), Buffer.alloc(200)];
    for (const number of firstNumbers(300)) dealer.link.send(numbered(number, paddings[number % paddings.length]));
    const received = await router.messages.takeMany(300);
    expect(received.map(({ frames }) => numberOf(frames))).toEqual(firstNumbers(300));
  });

  test("each of 50 dealers gets only its own messages", async () => {
    const router = links().echoRouter();
    const address = await router.link.bind(links().newAddress());
    const dealers = firstNumbers(50).map((number) => links().connectedDealer(`dealer ${number}`, address));
    for (const round of firstNumbers(20)) {
      for (const [number, dealer] of dealers.entries()) dealer.link.send(message(`${number}`, `${round}`));
    }
    for (const [number, dealer] of dealers.entries()) {
      const answers = await dealer.messages.takeMany(20);
      expect(answers.map(texts)).toEqual(firstNumbers(20).map((round) => [`${number}`, `${round}`]));
    }
    expect(dealers.flatMap((dealer) => dealer.messages.items)).toEqual([]);
  });

  test("handlers are never called from within a call to the link", async () => {
    let isInCall = false;
    const calledInCall: string[] = [];
    const note = (handler: string) => {
      if (isInCall) calledInCall.push(handler);
    };
    const call = (step: () => void) => {
      isInCall = true;
      step();
      isInCall = false;
    };
    const answers = new Inbox<Frames>();
    const { subject } = links();
    const router = TRANSPORTS[subject.router].router({
      onMessage: (peer, frames) => {
        note("router message");
        call(() => router.send(peer, frames));
        call(() => router.send("nothing", frames));
      },
      onPeerUp: () => note("router up"),
      onPeerDown: () => note("router down"),
      onUndelivered: () => note("router undelivered"),
    });
    onTestFinished(() => router.close(0));
    const dealer = TRANSPORTS[subject.dealer].dealer(
      {
        onMessage: (frames) => {
          note("dealer message");
          answers.add(frames);
        },
        onUp: () => note("dealer up"),
      },
      { routingId: "d" },
    );
    onTestFinished(() => dealer.close(0));
    const address = await router.bind(links().newAddress());
    call(() => dealer.connect(address));
    for (const number of firstNumbers(100)) call(() => dealer.send(numbered(number)));
    await answers.takeMany(100);
    expect(calledInCall).toEqual([]);
  });

  test("timers and other sockets run while many messages arrive", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    let turns = 0;
    let isPouring = true;
    const counting = (async () => {
      for (; isPouring; turns++) await nextTurn();
    })();
    for (const number of firstNumbers(50_000)) dealer.link.send(numbered(number));
    await router.messages.takeMany(50_000);
    isPouring = false;
    await counting;
    expect(turns).toBeGreaterThan(5);
  });
}

function expectSame(actual: Frames, expected: Frames): void {
  expect(actual).toHaveLength(expected.length);
  // One by one, because a difference between large buffers would be printed in full.
  for (const [index, frame] of expected.entries()) {
    const other = actual[index];
    expect(other !== undefined && Buffer.compare(other, frame) === 0, `frame ${index} is as it was`).toBe(true);
  }
}

// A sink and pushers over loopback.

import { ProcessWarnings } from "@pigato/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { Pusher, type PusherOptions } from "./pusher.ts";
import { Sink, type SinkOptions } from "./sink.ts";

async function started(options: SinkOptions = {}): Promise<Sink> {
  const sink = new Sink("tcp://127.0.0.1:*", options);
  await sink.start();
  onTestFinished(() => sink.stop());
  return sink;
}

function pusherTo({ address }: Sink, options: PusherOptions = {}): Pusher {
  const pusher = new Pusher(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => pusher.stop());
  return pusher;
}

async function take(sink: Sink, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of sink) if (messages.push(message) === count) break;
  return messages;
}

describe("a sink", () => {
  test("receives every form of a message, in order", async () => {
    const sink = await started();
    const pusher = pusherTo(sink);
    const messages = [{ done: 1 }, "text", null, 0, [1, 2], Buffer.from("no json"), Uint8Array.of(0xff)];
    for (const message of messages) await pusher.push(message);
    await pusher.push([Buffer.from("1"), Buffer.from("two")]);
    await pusher.push(undefined);
    expect(await take(sink, 9)).toEqual([
      { done: 1 },
      "text",
      null,
      0,
      [1, 2],
      "no json",
      Uint8Array.of(0xff),
      [1, "two"],
      null,
    ]);
  });

  test("shares its messages among loops, and leaves the rest to the next one", async () => {
    const sink = await started();
    const pusher = pusherTo(sink);
    const both = Promise.all([take(sink, 2), take(sink, 2)]);
    for (let at = 1; at <= 5; at++) void pusher.push(at);
    const [one, two] = await both;
    expect([...one, ...two].map(Number).sort()).toEqual([1, 2, 3, 4]);
    expect(await take(sink, 1)).toEqual([5]);
  });

  test("ends its loops when it stops, after what has arrived", async () => {
    const sink = await started();
    const pusher = pusherTo(sink);
    const first = take(sink, 1);
    for (let at = 1; at <= 3; at++) void pusher.push(at);
    await first;
    // What one write holds arrives together.
    await pusher.stop();
    const idle = started().then(async (other) => {
      const ended = take(other, 1);
      await other.stop();
      return ended;
    });
    await sink.stop();
    expect(await take(sink, 9)).toEqual([2, 3]);
    expect(await idle).toEqual([]);
  });

  test("starts again after stop, and waits for messages before its start", async () => {
    const sink = await started();
    const { address } = sink;
    await sink.stop();
    const other = new Sink(address);
    onTestFinished(() => other.stop());
    const message = take(other, 1);
    await other.start();
    await pusherTo(other).push("first");
    expect(await message).toEqual(["first"]);
    await other.stop();
    await sink.start();
    void pusherTo(sink).push("again");
    expect(await take(sink, 1)).toEqual(["again"]);
  });

  test.each<[string, SinkOptions, number]>([
    ["messages", { maxQueuedMessages: 4 }, 4],
    ["bytes", { maxQueuedBytes: 300_000 }, 3],
  ])("stops reading at its bound of %s, so that its pushers wait, and loses nothing", async (_of, options, most) => {
    const sink = await started(options);
    const pusher = pusherTo(sink, { maxQueuedBytes: 500_000_000 });
    let accepted = 0;
    const pushing = (async () => {
      for (let at = 0; at < 300; at++) {
        await pusher.push({ at, filler: "x".repeat(100_000) });
        accepted += 1;
      }
    })();
    // It reads in each turn of the event loop, or not at all.
    for (let before = -1; accepted <= most || accepted > before; ) {
      before = accepted;
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    }
    expect(accepted).toBeLessThan(300);
    const all = take(sink, 300);
    await pushing;
    expect((await all).map((message) => Reflect.get(Object(message), "at"))).toEqual(
      Array.from({ length: 300 }, (_, at) => at),
    );
  });

  test("reports an address that is in use, and a peer that sends too much", async () => {
    const sink = await started({ maxMessageBytes: 2_000 });
    await expect(new Sink(sink.address).start()).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    const rejected = new Promise((resolve) => sink.once("connection:rejected", resolve));
    void pusherTo(sink).push("x".repeat(2_000));
    expect(await rejected).toMatchObject({ code: "FRAME_TOO_LARGE" });
  });

  test.each<[string, () => unknown, string]>([
    [
      "an address",
      () => new Sink("localhost:5558"),
      "the address of the sink must be text such as tcp://*:5558, with a scheme",
    ],
    ["an option", () => new Sink("tcp://*:1", { maxQueuedMessages: 0 }), "maxQueuedMessages must be an integer from 1"],
    [
      "a pusher's address",
      () => new Pusher("here"),
      "the address of the sink must be text such as tcp://localhost:5558",
    ],
    ["data", () => new Pusher("tcp://localhost:1").push(1n), "cannot be written as JSON"],
    [
      "data that JSON would lose",
      () => new Pusher("tcp://localhost:1").push([{ sizes: new Map() }]),
      "JSON cannot carry data[0].sizes, a Map: push bytes instead",
    ],
  ])("rejects %s that cannot be used", (_what, use, message) => {
    expect(use).toThrow(message);
  });
});

describe("a pusher", () => {
  test("keeps messages for a sink that starts later", async () => {
    const sink = await started();
    const { address } = sink;
    await sink.stop();
    const pusher = pusherTo(sink);
    await pusher.push("early");
    const later = new Sink(address);
    onTestFinished(() => later.stop());
    await later.start();
    expect(await take(later, 1)).toEqual(["early"]);
  });

  test("refuses a message at its bound and after stop, with a warning", async () => {
    const warnings = new ProcessWarnings();
    const pusher = new Pusher("tcp://127.0.0.1:1", { maxQueuedMessages: 2, stopTimeoutMs: 0 });
    await pusher.push(1);
    await pusher.push(2);
    await expect(pusher.push(3)).rejects.toMatchObject({ code: "BUSY", delivery: "not-sent" });
    expect(await warnings.take()).toEqual([
      "PIGATO_ERROR: cannot push to tcp://127.0.0.1:1: the messages that wait for it exceed maxQueuedMessages (2) or maxQueuedBytes (67108864)",
    ]);
    await pusher.stop();
    await expect(pusher.push(4)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("reports what it could not send before it stopped", async () => {
    const lines: string[] = [];
    const log = (_fields: object, text: string): unknown => lines.push(text);
    const logger = { debug: log, info: log, warn: log, error: log };
    const pusher = new Pusher("tcp://127.0.0.1:1", { stopTimeoutMs: 0, logger });
    void pusher.push(1);
    void pusher.push(2);
    await pusher.stop();
    expect(lines).toEqual(["2 messages to tcp://127.0.0.1:1 were not sent"]);
  });
});

// Reader and writer under random messages, splits, truncations and flipped bits. PIGATO_FUZZ_RUNS makes it longer,
// PIGATO_FUZZ_SEED repeats a run; a failure prints its seed. frames.long.test.ts does the same to millions of frames.

import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageReader } from "./message-reader.ts";
import { encoded, encodeGreeting, encodePing, encodePong, encodeReady, encodeSubscribe } from "./testing/encoded.ts";
import { cut, LIMITS, readConnection, readMessages } from "./testing/read-bytes.ts";

const RUNS = Number(process.env.PIGATO_FUZZ_RUNS ?? 200);
const PARAMETERS = { numRuns: RUNS, seed: Number(process.env.PIGATO_FUZZ_SEED) };

/** Sizes around every limit: short and long, copied and not, a region, a chunk. */
const size = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(254, 255, 256, 8_191, 8_192, 8_193, 16_384, 16_385, 20_000, 70_000),
);
const frame = fc.tuple(size, fc.integer({ min: 0, max: 255 })).map(([bytes, fill]) => Buffer.alloc(bytes, fill));
const message = fc
  .array(frame, { minLength: 1, maxLength: LIMITS.maxFrames })
  .filter((frames) => frames.reduce((sum, { length }) => sum + length, 0) <= LIMITS.maxMessageBytes);
const messages = fc.array(message, { minLength: 1, maxLength: 8 });
const places = fc.array(fc.nat(), { maxLength: 12 });

const text = (frames: readonly Buffer[]) => frames.map((each) => each.toString("latin1")).join("|");

test("a reader reads what a writer wrote, however it is split", () => {
  fc.assert(
    fc.property(messages, places, fc.boolean(), (sent, at, areOurs) => {
      const received = readMessages(cut(encoded(sent), at), areOurs);
      expect(received).toEqual({ reports: sent.map(text), violation: undefined });
    }),
    PARAMETERS,
  );
});

test("a reader that pauses reads the same, and no more than a message after a pause", () => {
  const pauseEvery = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(messages, places, fc.boolean(), pauseEvery, (sent, at, areOurs, every) => {
      const received = readMessages(cut(encoded(sent), at), areOurs, undefined, every);
      expect(received).toEqual({ reports: sent.map(text), violation: undefined });
      expect(readMessages([encoded(sent)], areOurs, undefined, every).reports).toEqual(sent.map(text));
    }),
    PARAMETERS,
  );
});

test("a reader reads the same if the rest of large frames is read to where it belongs", () => {
  let targets = 0;
  fc.assert(
    fc.property(messages, fc.infiniteStream(fc.integer({ min: 1, max: 90_000 })), (sent, sizes) => {
      const reports: string[] = [];
      const onMessage = (frames: readonly Uint8Array[]) =>
        void reports.push(text(frames.map((each) => Buffer.from(each))));
      const reader = new MessageReader(LIMITS, { onMessage, onCommand: () => {} });
      const bytes = encoded(sent);
      const shared = Buffer.alloc(64 * 1024);
      for (let at = 0; at < bytes.length; ) {
        const { target } = reader;
        const { value: size } = sizes.next();
        const read = bytes.copy(target ?? shared, 0, at, Math.min(bytes.length, at + size));
        if (target === undefined) expect(reader.read(shared.subarray(0, read), 0, false)).toBeUndefined();
        else expect(reader.filled(read)).toBeUndefined();
        if (target !== undefined) targets += 1;
        at += read;
      }
      expect(reports).toEqual(sent.map(text));
      expect(reader.unfinishedBytes).toBe(0);
    }),
    PARAMETERS,
  );
  expect(targets).toBeGreaterThan(0);
});

const similarFrame = fc.oneof(
  fc.array(fc.constantFrom(0, 1), { maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.constantFrom(63, 64, 65), fc.constantFrom(0, 1), fc.constantFrom(0, 1))
    .map(([bytes, first, fill]) => Buffer.concat([Buffer.of(first), Buffer.alloc(bytes - 1, fill)])),
);
const similarMessages = fc.array(fc.array(similarFrame, { minLength: 1, maxLength: 4 }), {
  minLength: 2,
  maxLength: 12,
});

test("messages that repeat frames of earlier ones, or nearly so, are read as they were written", () => {
  fc.assert(
    fc.property(similarMessages, places, fc.boolean(), (sent, at, areOurs) => {
      expect(readMessages(cut(encoded(sent), at), areOurs).reports).toEqual(sent.map(text));
    }),
    PARAMETERS,
  );
});

test("a short frame that repeats the frame at its index of the previous message is the same object", () => {
  const received: (readonly Uint8Array[])[] = [];
  const reader = new MessageReader(LIMITS, { onMessage: (frames) => received.push(frames), onCommand: () => {} });
  const messages = ["echo 1 data", "echo 2 data", "sum 2"].map((words) =>
    words.split(" ").map((word) => Buffer.from(word)),
  );
  reader.read(encoded(messages), 0, true);
  const [first = [], second = [], third = []] = received;
  expect([second[0] === first[0], second[1] === first[1], second[2] === first[2]]).toEqual([true, false, true]);
  expect(third.map((frame) => Buffer.from(frame).toString())).toEqual(["sum", "2"]);
});

test("a byte string is written as its bytes", () => {
  fc.assert(
    fc.property(messages, (sent) => {
      const strings = sent.map((frames) => frames.map((each, index) => (index % 2 ? each : each.toString("latin1"))));
      expect(encoded(strings).equals(encoded(sent))).toBe(true);
    }),
    PARAMETERS,
  );
});

test("a truncated stream gives the whole messages before its end, and no more", () => {
  fc.assert(
    fc.property(messages, places, fc.nat(), fc.boolean(), (sent, at, end, areOurs) => {
      const whole = encoded(sent);
      const { reports, violation } = readMessages(cut(whole.subarray(0, end % whole.length), at), areOurs);
      expect(violation).toBeUndefined();
      expect(reports.length).toBeLessThan(sent.length);
      expect(reports).toEqual(sent.slice(0, reports.length).map(text));
    }),
    PARAMETERS,
  );
});

test("flipped bits give the same messages and the same violation, however the bytes are split", () => {
  let violations = 0;
  fc.assert(
    fc.property(
      messages,
      places,
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (sent, at, flips, ours) => {
        const bytes = flipped(encoded(sent), flips);
        const whole = readMessages([bytes], true);
        expect(readMessages(cut(bytes, at), ours)).toEqual(whole);
        if (whole.violation !== undefined) violations += 1;
      },
    ),
    PARAMETERS,
  );
  expect(violations).toBeGreaterThan(0);
});

test("a connection with flipped bits gives the reports before them, or one violation", () => {
  const prelude = [encodeGreeting(), encodeReady("DEALER", "d")];
  const cancel = Buffer.from("\u0004\u000c\u0006CANCELtopic");
  const wishes = [encodeSubscribe("\u00fftopic", true), cancel, encodeSubscribe("", false)];
  fc.assert(
    fc.property(messages, places, fc.array(fc.nat(400), { maxLength: 3 }), fc.boolean(), (sent, at, flips, ours) => {
      const words = [...prelude, encodePing(6_000), ...wishes, encoded(sent), encodePong(Buffer.from("context"))];
      const bytes = flipped(Buffer.concat([...words, encodePing(0)]), flips);
      const whole = readConnection([bytes], true);
      expect(readConnection(cut(bytes, at), ours)).toEqual(whole);
      if (flips.length > 0) return;
      expect(whole.violation).toBeUndefined();
      const start = ["greeting 3.1", "ready DEALER d", "ping 6000 ", "subscribe \u00fftopic", "cancel topic", "\u0001"];
      expect(whole.reports).toEqual([...start, ...sent.map(text), "ping 0 "]);
    }),
    PARAMETERS,
  );
});

test("any bytes give messages or one violation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), places, fc.boolean(), (junk, at, ours) => {
      const bytes = Buffer.concat([encodeGreeting(), encodeReady("DEALER", "d"), junk]);
      expect(readConnection(cut(bytes, at), ours)).toEqual(readConnection([bytes], true));
      expect(readConnection(cut(Buffer.from(junk), at), ours)).toEqual(readConnection([Buffer.from(junk)], true));
    }),
    PARAMETERS,
  );
});

function flipped(bytes: Buffer, flips: readonly number[]): Buffer {
  const changed = Buffer.from(bytes);
  for (const flip of flips) {
    const index = (flip >> 3) % changed.length;
    changed[index] = (changed[index] ?? 0) ^ (1 << (flip & 7));
  }
  return changed;
}

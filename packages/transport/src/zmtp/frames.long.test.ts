// Many frames in long streams, cut at random, some with a flipped bit. `pnpm fuzz:frames` reads ten million of them.
// PIGATO_FUZZ_SEED repeats a run, and a failure prints the seed.

import { expect, test } from "vitest";
import { encoded } from "./testing/encoded.ts";
import { cut, LIMITS, readMessages } from "./testing/read-bytes.ts";

const FRAMES = Number(process.env.PIGATO_FUZZ_FRAMES ?? 50_000);
const SEED = Number(process.env.PIGATO_FUZZ_SEED);
const MESSAGES_PER_STREAM = 100;

test(`${FRAMES} frames, seed ${SEED}`, { timeout: 7_200_000 }, () => {
  const random = numbers(SEED);
  const below = (bound: number) => Math.floor(random() * bound);
  let frames = 0;
  let violations = 0;
  while (frames < FRAMES) {
    const sent = Array.from({ length: 1 + below(MESSAGES_PER_STREAM) }, () =>
      Array.from({ length: 1 + below(LIMITS.maxFrames) }, () => Buffer.alloc(sizeOf(below), below(256))),
    );
    frames += sent.reduce((sum, message) => sum + message.length, 0);
    const bytes = encoded(sent);
    const places = Array.from({ length: below(20) }, () => below(bytes.length + 1));
    const { reports, violation } = readMessages(cut(bytes, places), random() < 0.5);
    expect(violation).toBeUndefined();
    // One by one, because an array of so much text would be printed in full.
    expect(reports.length).toBe(sent.length);
    expect(
      sent.every((message, index) => reports[index] === message.map((each) => each.toString("latin1")).join("|")),
    ).toBe(true);

    const at = below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    const whole = readMessages([bytes], true);
    const split = readMessages(cut(bytes, places), false);
    expect(split.violation).toEqual(whole.violation);
    expect(split.reports.length).toBe(whole.reports.length);
    expect(whole.reports.every((each, index) => each === split.reports[index])).toBe(true);
    if (whole.violation !== undefined) violations += 1;
  }
  expect(violations).toBeGreaterThan(0);
});

/** Mostly small, sometimes across every limit of the encoding. */
function sizeOf(below: (bound: number) => number): number {
  const kind = below(1_000);
  if (kind < 2) return below(12_000);
  return kind < 60 ? below(600) : below(30);
}

/** A seeded generator of numbers from 0 up to 1 (xorshift). */
function numbers(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

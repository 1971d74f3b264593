import { beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LINK_LIMITS, type Frames } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { Holding, SendBudget } from "./send-budget.ts";

const LIMITS = { ...DEFAULT_LINK_LIMITS, slowBytes: 2_000, maxQueuedBytes: 10_000, maxQueuedMessages: 100 };

/** A message that counts as about `bytes`. */
function message(bytes: number): Frames {
  return [Buffer.alloc(bytes)];
}

/** Offers messages until one is not accepted. @returns how many were */
function fill(outbox: Outbox, frames: Frames, isUrgent = false): number {
  let taken = 0;
  while (outbox.offer(frames, isUrgent) !== "congested") taken += 1;
  return taken;
}

test("returns messages in the order they were offered", () => {
  const outbox = new Outbox(LIMITS);
  const messages = [message(1), message(2), message(3)];
  for (const each of messages) outbox.offer(each, false);
  expect(outbox.first).toBe(messages[0]);
  expect([outbox.shift(), outbox.shift(), outbox.shift(), outbox.shift()]).toEqual([...messages, undefined]);
  expect(outbox.isEmpty).toBe(true);
});

test("can be used again after it was emptied", () => {
  const outbox = new Outbox(LIMITS);
  outbox.offer(message(1), false);
  outbox.shift();
  const later = message(2);
  outbox.offer(later, false);
  expect(outbox.first).toBe(later);
});

test("returns queued, then slow, then congested as its bytes grow", () => {
  const outbox = new Outbox(LIMITS);
  const outcomes = new Set<string>();
  for (let count = 0; count < 20; count++) outcomes.add(outbox.offer(message(500), false));
  expect([...outcomes]).toEqual(["queued", "slow", "congested"]);
});

test("holds no more bytes than its bound", () => {
  const taken = fill(new Outbox(LIMITS), message(500));
  expect(taken * 500).toBeLessThanOrEqual(LIMITS.maxQueuedBytes);
  expect(taken).toBeGreaterThan(10);
});

test("holds no more messages than its bound, however small", () => {
  const limits = { ...LIMITS, maxQueuedBytes: 1_000_000 };
  expect(fill(new Outbox(limits), message(0))).toBe(limits.maxQueuedMessages);
});

test("bounds the number of empty frames", () => {
  const frames = new Array<Uint8Array>(100).fill(new Uint8Array(0));
  expect(fill(new Outbox(LIMITS), frames)).toBeLessThan(5);
});

test("accepts one message of any size when it is empty", () => {
  const outbox = new Outbox(LIMITS);
  expect(outbox.offer(message(100_000), false)).toBe("slow");
  expect(outbox.offer(message(1), false)).toBe("congested");
});

test("reserves an eighth above its bounds for urgent messages", () => {
  const outbox = new Outbox(LIMITS);
  fill(outbox, message(100));
  const urgentBytes = fill(outbox, message(100), true) * 100;
  expect(urgentBytes).toBeGreaterThan(0);
  expect(urgentBytes).toBeLessThanOrEqual(LIMITS.maxQueuedBytes / 8);
});

test("reports once that the peer has caught up, when half of the bound for slow is free", () => {
  const outbox = new Outbox(LIMITS);
  while (outbox.offer(message(500), false) === "queued");
  let drainedAt = 0;
  for (let left = 4; left > 0; left--) {
    expect(drainedAt).toBe(0);
    outbox.shift();
    if (outbox.takeDrained()) drainedAt = left;
    if (drainedAt > 0) break;
  }
  expect(outbox.isEmpty).toBe(false);
  expect(outbox.takeDrained()).toBe(false);
});

test("does not report a peer that was never slow", () => {
  const outbox = new Outbox(LIMITS);
  outbox.offer(message(10), false);
  outbox.shift();
  expect(outbox.takeDrained()).toBe(false);
});

test("reports a peer that was congested only by the number of messages", () => {
  const limits = { ...LIMITS, maxQueuedMessages: 4 };
  const outbox = new Outbox(limits);
  fill(outbox, message(1));
  outbox.shift();
  expect(outbox.takeDrained()).toBe(false);
  outbox.shift();
  expect(outbox.takeDrained()).toBe(true);
});

test("counts a write in progress as waiting, and not toward the bound of its peer", () => {
  const outbox = new Outbox(LIMITS);
  outbox.beginWrite(100_000);
  expect(outbox.waitingBytes).toBe(100_000);
  expect(fill(outbox, message(500))).toBeGreaterThan(10);
  while (outbox.shift() !== undefined);
  outbox.endWrite();
  expect(outbox.waitingBytes).toBe(0);
});

describe("the outboxes of several peers", () => {
  const limits = { ...LIMITS, maxSendingBytes: 24_000 };
  let budget: SendBudget;
  let evicted: string[];

  beforeEach(() => {
    budget = new SendBudget(limits);
    evicted = [];
  });

  function newOutbox(peer: string): Outbox {
    return new Outbox(limits, new Holding(budget, ({ code }) => evicted.push(`${peer} ${code}`)));
  }

  test("accept every message at the bound of all, and the largest holder is evicted instead", () => {
    for (const peer of ["a", "b"]) fill(newOutbox(peer), message(500));
    newOutbox("quiet").offer(message(3_000), false);
    expect(evicted).toEqual([]);
    const honest = newOutbox("honest");
    for (let sent = 0; sent < 5; sent++) expect(honest.offer(message(150), false)).toBe("queued");
    expect(evicted).toHaveLength(1);
    expect(["a TOO_MUCH_WAITING", "b TOO_MUCH_WAITING"]).toContain(evicted[0]);
    expect(budget.bytes).toBeLessThanOrEqual(limits.maxSendingBytes);
  });

  test("count writes in progress", () => {
    newOutbox("writing").beginWrite(23_000);
    newOutbox("other").offer(message(2_000), false);
    expect(evicted).toEqual(["writing TOO_MUCH_WAITING"]);
    expect(budget.bytes).toBeLessThan(3_000);
  });

  test("count nothing when they are empty", () => {
    const outbox = newOutbox("a");
    outbox.beginWrite(1_000);
    fill(outbox, message(77));
    while (outbox.shift() !== undefined);
    outbox.endWrite();
    expect(budget.bytes).toBe(0);
  });
});

describe("the memory of messages that wait", () => {
  const BUFFER_BYTES = 64 * 1024;
  const FRAME_BYTES = 1_000;
  const MIB = 1024 * 1024;
  const WIDE = { ...LIMITS, slowBytes: 100 * MIB, maxQueuedBytes: 100 * MIB, maxQueuedMessages: 100_000 };

  /** Part of a larger buffer. */
  function view(buffer: ArrayBuffer, index: number): Uint8Array {
    return new Uint8Array(buffer, index * FRAME_BYTES, FRAME_BYTES).fill(index + 1);
  }

  /** Takes all messages out. @returns their frames of bytes */
  function takeAll(outbox: Outbox): Uint8Array[] {
    const taken: Uint8Array[] = [];
    for (let frames = outbox.shift(); frames !== undefined; frames = outbox.shift()) {
      for (const frame of frames) if (typeof frame !== "string") taken.push(frame);
    }
    return taken;
  }

  function heldBytes(frames: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const buffer of new Set(frames.map((frame) => frame.buffer))) bytes += buffer.byteLength;
    return bytes;
  }

  test("is little more than their bytes, if each shares a buffer with others", () => {
    const outbox = new Outbox(WIDE);
    for (let index = 0; index < 2_000; index++)
      outbox.offer(["text", view(new ArrayBuffer(BUFFER_BYTES), index % 60)], false);
    const frames = takeAll(outbox);
    expect(frames).toHaveLength(2_000);
    expect(heldBytes(frames)).toBeLessThan(1.3 * 2_000 * (FRAME_BYTES + 256));
    const isRight = (frame: Uint8Array, index: number) => frame.every((byte) => byte === (index % 60) + 1);
    expect(frames.every(isRight)).toBe(true);
  });

  test("is not copied while it waits with all that is in its buffers", () => {
    const outbox = new Outbox(WIDE);
    outbox.offer([new Uint8Array(4 * BUFFER_BYTES)], false);
    const offered: Uint8Array[] = [];
    for (let round = 0; round < 100; round++) {
      const buffer = new ArrayBuffer(BUFFER_BYTES);
      for (let index = 0; index < 65; index++) offered.push(view(buffer, index));
    }
    for (const frame of offered) outbox.offer([frame], false);
    const [, ...taken] = takeAll(outbox);
    expect(taken.every((frame, index) => frame === offered[index])).toBe(true);
  });

  test("is not copied while few messages wait, however often", () => {
    const outbox = new Outbox(WIDE);
    for (let round = 0; round < 50; round++) {
      const [buffer, other] = [new ArrayBuffer(BUFFER_BYTES / 4), new ArrayBuffer(BUFFER_BYTES / 8)];
      const offered = [view(buffer, 0), view(buffer, 1), view(other, 0)];
      for (const frame of offered) outbox.offer([frame, new Uint8Array(frame.buffer, 0, 1)], false);
      const taken = takeAll(outbox).filter((_, index) => index % 2 === 0);
      expect(taken.map((frame, index) => frame === offered[index])).toEqual([true, true, true]);
    }
  });
});

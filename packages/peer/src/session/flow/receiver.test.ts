import { addCreditBytes, GRANT_BYTES, MAX_CREDIT_BYTES, spendBytes } from "@pigato/protocol/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReceiveWindow } from "./receiver.ts";

/** A window, and the chunks that a sender with this grant may still have in transit. */
function started(): ReceiveWindow {
  const window = new ReceiveWindow();
  expect(window.start()).toBe(16);
  return window;
}

/** Delivers and reads all granted chunks, `rounds` times. @returns every grant */
function readAll(window: ReceiveWindow, bytes: number, rounds: number, first = 16): number[] {
  const grants: number[] = [];
  let granted = first;
  let unreported = 0;
  for (let round = 0; round < rounds; round++) {
    let next = 0;
    for (; granted > 0; granted--) {
      window.onArrived(bytes);
      unreported += 1;
      if (unreported < window.reportAfter) continue;
      window.onRead(unreported);
      unreported = 0;
      const chunks = window.take();
      if (chunks > 0) grants.push(chunks);
      next += chunks;
    }
    granted = next;
  }
  return grants;
}

test("grants half a window at a time, of as many chunks as make about two mebibytes", () => {
  const grants = readAll(started(), 64 * 1024, 5);
  expect(grants[0]).toBe(24);
  expect(new Set(grants.slice(1))).toEqual(new Set([16]));
});

test("holds no more than 4096 small chunks, and no fewer than 2 large ones", () => {
  expect(readAll(started(), 5, 4).slice(0, 3)).toEqual([4_088, 2_048, 2_048]);
  expect(new Set(readAll(started(), 16 * 1024 * 1024, 6))).toEqual(new Set([1]));
});

test("follows the size of the arriving chunks", () => {
  const window = started();
  readAll(window, 5, 6);
  const grants = readAll(window, 1024 * 1024, 30, 4_096);
  expect(grants.at(-1)).toBe(1);
});

test("grants nothing for unread chunks, however many have arrived", () => {
  const window = started();
  for (let chunk = 0; chunk < 16; chunk++) window.onArrived(5);
  expect(window.take()).toBe(0);
  window.onRead(1);
  expect(window.take()).toBeGreaterThan(0);
});

test("without flow control there are no grants", () => {
  const window = new ReceiveWindow();
  expect(window.reportAfter).toBe(Number.POSITIVE_INFINITY);
  window.onArrived(5);
  window.onRead(100);
  expect(window.take()).toBe(0);
  window.start();
  window.stop();
  window.onRead(100);
  expect(window.take()).toBe(0);
});

describe("P-STREAM-11: a grant for bytes", () => {
  test("is due when what has arrived is read, although most of the window in chunks is open", () => {
    const window = started();
    expect(window.onArrived(GRANT_BYTES - 1)).toBe(false);
    expect([window.onArrived(1), window.reportAfter]).toEqual([true, 2]);
    expect([window.onArrived(GRANT_BYTES), window.reportAfter]).toEqual([false, 2]);
    window.onRead(1);
    expect([window.take(), window.reportAfter]).toEqual([0, 1]);
    window.onRead(1);
    expect(window.take()).toBe(1);
  });

  test("is due again after as many bytes, and only then", () => {
    const window = started();
    window.onArrived(4 * GRANT_BYTES);
    window.onRead(1);
    expect([window.take(), window.reportAfter]).toEqual([1, 15]);
    expect([window.onArrived(GRANT_BYTES - 1), window.onArrived(1), window.reportAfter]).toEqual([false, true, 2]);
  });

  test("makes no report earlier that is due by its chunks", () => {
    const window = started();
    for (let chunk = 0; chunk < 7; chunk++) expect(window.onArrived(1)).toBe(false);
    expect([window.onArrived(GRANT_BYTES), window.reportAfter]).toEqual([false, 8]);
  });

  test("is due in time, whatever the sizes of the chunks and the pace of the reader: the sender never waits forever", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 * GRANT_BYTES }), { maxLength: 60 }),
        fc.nat(8),
        (sizes, ahead) => {
          expect(transferred(sizes, ahead)).toEqual({ chunks: sizes.length, isWithinBound: true });
        },
      ),
    );
  });

  test("keeps what is on its way or unread to less than two windows and a chunk, also if small chunks precede large ones", () => {
    const sizes = [...new Array<number>(10_000).fill(20), ...new Array<number>(100).fill(GRANT_BYTES)];
    expect(transferred(sizes, Number.POSITIVE_INFINITY)).toEqual({ chunks: sizes.length, isWithinBound: true });
  });
});

/** Transfers chunks of these sizes. The reader reads when the sender must wait, or when this many chunks are unread. */
function transferred(sizes: readonly number[], ahead: number): { chunks: number; isWithinBound: boolean } {
  const window = new ReceiveWindow();
  let [credit, creditBytes] = [window.start(), MAX_CREDIT_BYTES];
  const unread: number[] = [];
  let [chunks, unreported, unreadBytes, most] = [0, 0, 0, 0];
  const read = (): void => {
    unreadBytes -= unread.shift() ?? 0;
    unreported += 1;
    if (unreported < window.reportAfter) return;
    window.onRead(unreported);
    unreported = 0;
    const granted = window.take();
    if (granted === 0) return;
    credit += granted;
    creditBytes = addCreditBytes(creditBytes);
  };
  for (const size of sizes) {
    while (unread.length > 0 && (credit === 0 || creditBytes === 0 || unread.length > ahead)) read();
    if (credit === 0 || creditBytes === 0) break;
    credit -= 1;
    creditBytes = spendBytes(creditBytes, size);
    window.onArrived(size);
    unread.push(size);
    unreadBytes += size;
    most = Math.max(most, unreadBytes);
    chunks += 1;
  }
  const largest = Math.max(0, ...sizes);
  return { chunks, isWithinBound: most < 2 * MAX_CREDIT_BYTES + largest };
}

import { expect, test } from "vitest";
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

test("an early report grants nothing while more chunks are open than a window has", () => {
  const window = started();
  for (let chunk = 0; chunk < 16; chunk++) window.onArrived(1024 * 1024);
  expect(window.reportAfter).toBe(8);
  window.onRead(1);
  expect(window.take()).toBe(0);
  // Fifteen are open, although a window now has two.
  expect(window.reportAfter).toBe(14);
  window.onRead(14);
  expect(window.take()).toBe(1);
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

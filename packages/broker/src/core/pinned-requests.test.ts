import type { Frame } from "@pigato/protocol";
import { expect, test } from "vitest";
import { NO_SLOT, type PinLinks, PinnedRequests } from "./pinned-requests.ts";

const BUFFER_BYTES = 8_192;
const FRAME_BYTES = 192;
/** What one request pins, alone in its buffer. */
const PINNED_BYTES = BUFFER_BYTES - FRAME_BYTES;

interface Item extends PinLinks<Item> {
  readonly id: number;
}

/** How many requests the ring takes. */
const RECENT = 2;

const pinnedLinks = {
  recentSlot: NO_SLOT,
  pinnedBuffer: undefined,
  pinnedElsewhere: 0,
  pinnedPrev: undefined,
  pinnedNext: undefined,
};

/** A request of one frame. @param buffer in which it lies; the first byte of a buffer is not a frame's */
function request(id: number, buffer: ArrayBuffer = new ArrayBuffer(BUFFER_BYTES)): Item {
  return { id, body: [frameIn(buffer, id)], trailer: [], ...pinnedLinks };
}

function frameIn(buffer: ArrayBuffer, id: number): Frame {
  return new Uint8Array(buffer, 1 + id * FRAME_BYTES, FRAME_BYTES).fill(id + 1);
}

/** Adds requests, and then others that own their memory, so that these are no longer recent. */
function addAll(pinned: PinnedRequests<Item>, items: readonly Item[]): readonly Item[] {
  for (const item of items) pinned.add(item);
  for (let count = 0; count < RECENT; count++) pinned.add({ ...request(0), body: [] });
  return items;
}

function newTable(maxBytes = 1_000_000): PinnedRequests<Item> {
  return new PinnedRequests(maxBytes, RECENT);
}

function isView({ body: [frame] }: Item): boolean {
  return frame !== undefined && frame.buffer.byteLength > frame.length;
}

test("requests keep their views within the bound; beyond it the oldest are copied", () => {
  const pinned = newTable(3 * PINNED_BYTES);
  const items = [...addAll(pinned, [request(0), request(1), request(2)])];
  expect(items.map(isView)).toEqual([true, true, true]);
  items.push(...addAll(pinned, [request(3), request(4)]));
  expect(items.map(isView)).toEqual([false, false, true, true, true]);
  expect(items.map(({ body }) => body[0])).toEqual(items.map(({ id }) => new Uint8Array(FRAME_BYTES).fill(id + 1)));
  expect(pinned.bytes).toBe(3 * PINNED_BYTES);
});

test("a buffer counts once for all requests in it, as long as one of them is open", () => {
  const pinned = newTable();
  const buffer = new ArrayBuffer(BUFFER_BYTES);
  const items = addAll(pinned, [request(0, buffer), request(1, buffer), request(2, buffer)]);
  for (const [ended, index] of [1, 0, 2].entries()) {
    expect(pinned.bytes).toBe(BUFFER_BYTES - (3 - ended) * FRAME_BYTES);
    const item = items[index];
    if (item) pinned.remove(item);
  }
  expect(pinned.bytes).toBe(0);
});

test("requests in a buffer that they fill are not copied", () => {
  const pinned = newTable(10);
  const buffer = new ArrayBuffer(1 + 10 * FRAME_BYTES);
  // Not before the last one is there.
  const roomy = newTable(buffer.byteLength);
  const items = addAll(
    roomy,
    Array.from({ length: 10 }, (_, id) => request(id, buffer)),
  );
  expect(roomy.bytes).toBe(1);
  expect(items.every(isView)).toBe(true);
  expect(addAll(pinned, [request(0, buffer)]).some(isView)).toBe(false);
});

test("a buffer counts twice while a request of another buffer comes between its requests", () => {
  const pinned = newTable();
  const buffer = new ArrayBuffer(BUFFER_BYTES);
  const between = request(5);
  const [first, , last] = addAll(pinned, [request(0, buffer), between, request(2, buffer)]);
  expect(pinned.bytes).toBe(3 * PINNED_BYTES);
  pinned.remove(between);
  expect(pinned.bytes).toBe(PINNED_BYTES - FRAME_BYTES);
  for (const item of [first, last]) if (item) pinned.remove(item);
  expect(pinned.bytes).toBe(0);
});

test("frames in several buffers pin all of them", () => {
  const pinned = newTable();
  const own = new Uint8Array(10);
  const item = { ...request(0), trailer: [own, frameIn(new ArrayBuffer(1_000), 1)] };
  addAll(pinned, [item]);
  expect(pinned.bytes).toBe(PINNED_BYTES + 1_000 - FRAME_BYTES);
  pinned.copy(item);
  expect([pinned.bytes, [...pinned]]).toEqual([0, []]);
  expect(item.trailer[0]).toBe(own);
  expect(item.trailer[1]?.buffer.byteLength).toBe(FRAME_BYTES);
});

test("requests leave from the front, the middle and the end of the list", () => {
  for (const order of [
    [0, 1, 2],
    [1, 0, 2],
    [2, 1, 0],
  ]) {
    const pinned = newTable();
    const items = addAll(pinned, [request(0), request(1), request(2)]);
    const left = new Set(items);
    for (const index of order) {
      const item = items[index];
      if (item === undefined) continue;
      pinned.remove(item);
      left.delete(item);
      expect([...pinned]).toEqual([...left]);
      expect(pinned.bytes).toBe(left.size * PINNED_BYTES);
    }
  }
});

test("a request that is kept for long is copied at once, and then ends like any other", () => {
  const pinned = newTable();
  const [kept, other] = [request(0), request(1)];
  addAll(pinned, [kept, other]);
  pinned.copy(kept);
  pinned.copy(kept);
  expect([isView(kept), isView(other)]).toEqual([false, true]);
  pinned.remove(kept);
  expect([...pinned]).toEqual([other]);
  expect(pinned.bytes).toBe(PINNED_BYTES);
});

test("requests with memory of their own are not in the list", () => {
  const pinned = newTable();
  const item = { ...request(0), body: [new Uint8Array(FRAME_BYTES)] };
  addAll(pinned, [item]);
  expect([...pinned]).toEqual([]);
  pinned.remove(item);
  expect(pinned.bytes).toBe(0);
});

test("a recent request is not looked at, and when it ends it is not kept", () => {
  const pinned = newTable(10);
  const items = [request(0), request(1), request(2)];
  for (const item of items.slice(0, 2)) pinned.add(item);
  expect(items.map(isView)).toEqual([true, true, true]);
  for (const item of items.slice(0, 1)) pinned.remove(item);
  // Takes the slot of the first one, which has ended; the second one is next.
  for (const item of items.slice(2)) pinned.add(item);
  expect(items.map(isView)).toEqual([true, true, true]);
  pinned.add(request(3));
  expect(items.map(isView)).toEqual([true, false, true]);
  expect(pinned.bytes).toBe(0);
});

test("a recent request that is kept for long is copied at once, and leaves the ring", () => {
  const pinned = newTable(1_000_000);
  const item = request(0);
  pinned.add(item);
  pinned.copy(item);
  expect([isView(item), item.recentSlot]).toEqual([false, NO_SLOT]);
  addAll(pinned, []);
  expect([...pinned]).toEqual([]);
});

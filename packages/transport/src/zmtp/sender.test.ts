// A sender at a socket whose kernel takes as much as the test says.

import { beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_LINK_LIMITS, type LinkLimits } from "../link.ts";
import { Outbox } from "../outbox.ts";
import { Holding, SendBudget } from "../send-budget.ts";
import { Flusher } from "./flusher.ts";
import { BUFFER_BYTES, BufferPool } from "./frame-writer.ts";
import { Sender, type SenderSocket } from "./sender.ts";
import type { Violation } from "./wire.ts";

class FakeSocket implements SenderSocket {
  destroyed = false;
  writableLength = 0;
  /** Bytes that the kernel takes at once. */
  room = Number.POSITIVE_INFINITY;
  readonly _handle = { writeQueueSize: 0 };
  #isCorked = false;
  #onWritten: (() => void) | undefined;

  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.#takeAtOnce();
  }

  write({ length }: Uint8Array, onWritten?: () => void): boolean {
    this.writableLength += length;
    this._handle.writeQueueSize += length;
    this.#onWritten = onWritten ?? this.#onWritten;
    if (!this.#isCorked) this.#takeAtOnce();
    return this.writableLength === 0;
  }

  /** The kernel takes so much more. */
  take(bytes: number): void {
    this._handle.writeQueueSize -= Math.min(bytes, this._handle.writeQueueSize);
    if (this._handle.writeQueueSize > 0) return;
    this.writableLength = 0;
    this.#onWritten?.();
  }

  #takeAtOnce(): void {
    this._handle.writeQueueSize -= Math.min(this.room, this._handle.writeQueueSize);
    if (this._handle.writeQueueSize === 0) this.writableLength = 0;
  }
}

let socket: FakeSocket;
let outbox: Outbox;
let budget: SendBudget;
let sender: Sender;
let destroyed: Promise<Violation>;

beforeEach(() => start());

function start(limits: Partial<LinkLimits> = {}): void {
  const all = { ...DEFAULT_LINK_LIMITS, ...limits };
  socket = new FakeSocket();
  budget = new SendBudget(all);
  outbox = new Outbox(all, new Holding(budget, () => {}));
  destroyed = new Promise((resolve) => {
    const settings = { pool: new BufferPool(), flusher: new Flusher(() => {}), limits: all };
    sender = new Sender(socket, settings, { outbox, onDrain: () => {}, destroy: resolve });
  });
  sender.open(undefined);
}

test("what was sent counts as written when it is flushed, not at the next flush of the link", async () => {
  sender.send([Buffer.from("hello")], false);
  await sender.flushed();
  expect(outbox.isEmpty).toBe(true);
});

test("a write counts toward the bound of all peers while the kernel does not take it, with its buffers", () => {
  sender.send([Buffer.alloc(100_000)], false);
  expect(budget.bytes).toBe(0);
  socket.room = 1_000;
  sender.send([Buffer.alloc(100_000)], false);
  expect(budget.bytes).toBe(100_009 + BUFFER_BYTES);
  sender.send([Buffer.alloc(500)], false);
  socket.take(98_000);
  expect(budget.bytes).toBeGreaterThan(100_500);
  socket.room = Number.POSITIVE_INFINITY;
  socket.take(2_000);
  expect(budget.bytes).toBe(0);
});

test("a closed sender holds nothing but what waits in its outbox", () => {
  socket.room = 0;
  sender.send([Buffer.alloc(100_000)], false);
  sender.send([Buffer.from("waits")], false);
  sender.close();
  expect(budget.bytes).toBe(outbox.waitingBytes);
  outbox.shift();
  expect(budget.bytes).toBe(0);
});

test("a peer that takes less than the minimum in a period does not read, though its writes end", async () => {
  start({ sendStallTimeoutMs: 50, minProgressBytes: 10_000_000 });
  socket.room = 0;
  let isOver = false;
  const trickle = () => {
    // A write ends now and then, and the next one begins at once.
    socket.take(50);
    if (!isOver) setImmediate(trickle);
  };
  const message = [Buffer.alloc(25_000)];
  for (let sent = 0; sent < 1_000; sent++) sender.send(message, false);
  trickle();
  expect((await destroyed).code).toBe("NOT_READING");
  isOver = true;
});

test("a peer that took all that waited has a whole period for what waits next", async () => {
  start({ sendStallTimeoutMs: 100, minProgressBytes: 1_000_000 });
  const since = performance.now();
  socket.room = 0;
  sender.send([Buffer.alloc(30_000)], false);
  socket.take(40_000);
  sender.send([Buffer.alloc(30_000)], false);
  expect((await destroyed).code).toBe("NOT_READING");
  expect(performance.now() - since).toBeGreaterThan(190);
});

test("a closed sender reports nothing", async () => {
  start({ sendStallTimeoutMs: 20 });
  socket.room = 0;
  sender.send([Buffer.alloc(5_000)], false);
  const first = destroyed.then(() => "first");
  sender.close();
  start({ sendStallTimeoutMs: 40 });
  socket.room = 0;
  sender.send([Buffer.alloc(5_000)], false);
  expect(await Promise.race([first, destroyed.then(() => "second")])).toBe("second");
});

test("bytes of one long write count as progress", async () => {
  start({ sendStallTimeoutMs: 50, minProgressBytes: 1_000 });
  socket.room = 0;
  sender.send([Buffer.alloc(1_000_000)], false);
  let taken = 0;
  const steps = setInterval(() => {
    taken += 1;
    if (taken <= 20) socket.take(10_000);
  }, 10);
  const { detail } = await destroyed;
  clearInterval(steps);
  expect(taken).toBeGreaterThan(20);
  expect(detail).toMatch(/^it took 0 bytes in 50 ms/);
});

test("a pool lets malloc keep freed memory once a large part of a message waits for its rest", () => {
  const allocate = vi.spyOn(Buffer, "allocUnsafeSlow");
  const pool = new BufferPool();
  pool.onUnfinished(1_000);
  expect(allocate).not.toHaveBeenCalled();
  for (let read = 0; read < 3; read++) pool.onUnfinished(32_000);
  expect(allocate.mock.calls).toEqual([[16 * 1024 * 1024]]);
  allocate.mockRestore();
});

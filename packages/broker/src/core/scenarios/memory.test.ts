// What requests and replies keep alive of the buffers that their frames were read into.

import { DEFAULT_REQUEST_OPTIONS, type Frame, requestId, serviceName } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const BUFFER_BYTES = 64 * 1024;
const FRAME_BYTES = 9 * 1024;
const MIB = 1024 * 1024;

/** A view of a larger buffer of its own. */
function viewOf(number: number): Frame {
  return new Uint8Array(new ArrayBuffer(BUFFER_BYTES), 0, FRAME_BYTES).fill(number % 256);
}

function request(sim: Scenario, id: number, { persist = false } = {}): void {
  const ids = { service: serviceName("echo"), requestId: requestId(`r${id}`) };
  const options = { ...DEFAULT_REQUEST_OPTIONS, persist };
  sim.fromClient("c1", { type: "request", ...ids, body: [viewOf(id)], trailer: [], options });
}

/** The memory that frames keep alive. */
function heldBytes(frames: Iterable<Frame>): number {
  let bytes = 0;
  for (const buffer of new Set(Array.from(frames, (frame) => frame.buffer))) bytes += buffer.byteLength;
  return bytes;
}

/** The body of each request that the worker got. */
function bodies(sim: Scenario, worker: string): Frame[] {
  return sim.worker(worker).received.flatMap(({ body }) => body);
}

test.each([
  ["queued", 1],
  ["in flight", 1_000],
])("requests that are %s hold little more than their bytes", (_, concurrency) => {
  const sim = scenario({ isChecked: false });
  sim.worker("slow").ready("echo", { concurrency });
  for (let id = 0; id < 1_000; id++) request(sim, id);
  // All are dispatched again, from what the broker holds.
  sim.worker("w2").ready("echo", { concurrency: 1_000 });
  for (let id = 0; id < concurrency; id++) sim.worker("slow").reject(`r${id}`);
  const held = bodies(sim, "w2");
  expect(held).toHaveLength(1_000);
  expect(heldBytes(held)).toBeLessThan(1_000 * FRAME_BYTES + 18 * MIB);
  expect(held.map((frame) => frame[FRAME_BYTES - 1]).sort()).toEqual(
    Array.from({ length: 1_000 }, (_each, id) => id % 256).sort(),
  );
  sim.assertConsistent();
});

test("a request that ends soon is not copied, however many there are", () => {
  const sim = scenario({ isChecked: false });
  sim.worker("w1").ready("echo");
  for (let id = 0; id < 1_000; id++) {
    request(sim, id);
    sim.worker("w1").final(`r${id}`);
  }
  expect(heldBytes(bodies(sim, "w1"))).toBe(1_000 * BUFFER_BYTES);
});

test("a store gets frames that keep nothing else alive", () => {
  const sim = scenario({ isChecked: false });
  request(sim, 1, { persist: true });
  const [stored] = sim.stored.values();
  expect(stored?.body).toEqual([new Uint8Array(FRAME_BYTES).fill(1)]);
  expect(heldBytes(stored?.body ?? [])).toBe(FRAME_BYTES);
});

import { type RequestId, requestId } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type Call, Calls } from "./calls.ts";

interface Name {
  readonly address: string;
  readonly requestId: RequestId;
}

function name(address: string, id: string): Name {
  return { address, requestId: requestId(id) };
}

/** Of a few addresses and ids, whose parts can be joined to the same text in more than one way. */
function manyNames(): Name[] {
  const parts = Array.from({ length: 40 }, (_, index) => "ab".repeat(index % 8) + String(index));
  return parts.flatMap((address) => parts.map((id) => name(address, id)));
}

function keyOf({ address, requestId }: Name): string {
  return JSON.stringify([address, requestId]);
}

test("calls are found by their names and by nothing else, however many come and go", () => {
  const calls = new Calls(() => 0.7);
  const inFlight = new Map<string, Call>();
  const names = manyNames();
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let step = 0; step < 20_000; step++) {
    // Waves, so that the table is filled and emptied as well as stirred.
    const isFilling = Math.floor(step / 2_500) % 2 === 0;
    const named = names[random(names.length)] ?? name("c1", "r1");
    const known = inFlight.get(keyOf(named));
    expect(calls.find({ ...named })).toBe(known);
    if (random(4) > 0 === isFilling) {
      const call = calls.add(named);
      expect(call === undefined).toBe(known !== undefined);
      if (call !== undefined) inFlight.set(keyOf(named), call);
    } else if (random(2) === 0) {
      expect(calls.take(named)).toBe(known);
      inFlight.delete(keyOf(named));
    } else if (known !== undefined) {
      expect(calls.remove(known)).toBe(true);
      expect(calls.remove(known)).toBe(false);
      inFlight.delete(keyOf(named));
    }
    expect(calls.size).toBe(inFlight.size);
  }
  expect(inFlight.size).toBeGreaterThan(100);
  expect(calls.takeAll()).toEqual([...inFlight.values()]);
  expect(calls.size).toBe(0);
});

test("a call that was taken out is in flight no more, even when another of its name is", () => {
  const calls = new Calls(() => 0);
  const first = calls.add(name("c1", "r1"));
  const [taken] = calls.takeAll();
  const second = calls.add(name("c1", "r1"));
  expect(taken).toBe(first);
  expect([first?.isInFlight, second?.isInFlight]).toEqual([false, true]);
});

// Found by trying: with no salt these pairs have the same hash.
test.each([
  [name("c3498", "r1"), name("c268960", "r1")],
  [name("c1", "r57568"), name("c1", "r261882")],
])("names with the same hash are told apart", (left, right) => {
  const calls = new Calls(() => 0);
  const first = calls.add(left);
  expect(calls.find(right)).toBeUndefined();
  const second = calls.add(right);
  expect(second?.hash).toBe(first?.hash);
  expect([calls.find(left), calls.find(right)]).toEqual([first, second]);
});

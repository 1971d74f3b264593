import { type RequestId, requestId } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type InFlightRequest, RequestTable } from "./request-table.ts";

interface Ref {
  readonly address: string;
  readonly requestId: RequestId;
}

function name(address: string, id: string): Ref {
  return { address, requestId: requestId(id) };
}

/** Few addresses and ids, some pairs of which have the same concatenation. */
function manyNames(): Ref[] {
  const parts = Array.from({ length: 40 }, (_, index) => "ab".repeat(index % 8) + String(index));
  return parts.flatMap((address) => parts.map((id) => name(address, id)));
}

function keyOf({ address, requestId }: Ref): string {
  return JSON.stringify([address, requestId]);
}

test("requests are found only by their names and ids, however many start and end", () => {
  const table = new RequestTable(() => 0.7);
  const inFlight = new Map<string, InFlightRequest>();
  const names = manyNames();
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let step = 0; step < 20_000; step++) {
    // Alternates growth and shrinkage, so that the table also becomes empty.
    const isFilling = Math.floor(step / 2_500) % 2 === 0;
    const named = names[random(names.length)] ?? name("c1", "r1");
    const known = inFlight.get(keyOf(named));
    expect(table.find({ ...named })).toBe(known);
    if (random(4) > 0 === isFilling) {
      const call = table.add(named);
      expect(call === undefined).toBe(known !== undefined);
      if (call !== undefined) inFlight.set(keyOf(named), call);
    } else if (random(2) === 0) {
      if (known !== undefined) table.remove(known);
      inFlight.delete(keyOf(named));
    } else if (known !== undefined) {
      table.remove(known);
      table.remove(known);
      expect(table.get(known.id)).toBeUndefined();
      inFlight.delete(keyOf(named));
    }
    expect(table.size).toBe(inFlight.size);
    const last = inFlight.get(keyOf(named));
    if (last !== undefined) expect(table.get(last.id)).toBe(last);
  }
  expect(inFlight.size).toBeGreaterThan(100);
  expect(table.all()).toEqual([...inFlight.values()]);
});

test("the id of an ended request finds nothing, even if a later request has the same address and id", () => {
  const table = new RequestTable(() => 0);
  const first = table.add(name("c1", "r1"));
  if (first !== undefined) table.remove(first);
  const second = table.add(name("c1", "r1"));
  expect(second?.id).not.toBe(first?.id);
  expect([table.get(first?.id ?? 0), table.get(second?.id ?? 0)]).toEqual([undefined, second]);
});

// These pairs have the same hash without a salt.
test.each([
  [name("c3498", "r1"), name("c268960", "r1")],
  [name("c1", "r57568"), name("c1", "r261882")],
])("requests whose names have the same hash are not confused", (left, right) => {
  const table = new RequestTable(() => 0);
  const first = table.add(left);
  expect(table.find(right)).toBeUndefined();
  const second = table.add(right);
  expect(second?.hash).toBe(first?.hash);
  expect([table.find(left), table.find(right)]).toEqual([first, second]);
});

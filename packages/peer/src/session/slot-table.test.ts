import { expect, test } from "vitest";
import { SlotTable } from "./slot-table.ts";

test("a slot table finds, removes and counts its entries", () => {
  const table = new SlotTable<string>();
  const ids = Array.from({ length: 100 }, () => {
    const id = table.nextId();
    table.set(id, `entry ${id}`);
    return id;
  });
  expect(table.size).toBe(100);
  expect(ids.map((id) => table.get(id))).toEqual(ids.map((id) => `entry ${id}`));
  expect(table.values()).toEqual(ids.map((id) => `entry ${id}`));
  for (const id of ids.slice(10)) expect(table.take(id)).toBe(`entry ${id}`);
  expect([table.size, table.values().length, table.get(ids[50] ?? 0), table.take(ids[50] ?? 0)]).toEqual([
    10,
    10,
    undefined,
    undefined,
  ]);
});

test("ids of a slot table increase, are never used again, and skip slots that are in use", () => {
  const table = new SlotTable<string>();
  const kept = table.nextId();
  table.set(kept, "kept");
  const ids = new Set([kept]);
  let last = kept;
  for (let round = 0; round < 1_000; round++) {
    const id = table.nextId();
    expect(id).toBeGreaterThan(last);
    table.set(id, "brief");
    table.take(id);
    ids.add(id);
    last = id;
  }
  expect([ids.size, table.get(kept), table.size]).toEqual([1_001, "kept", 1]);
});

test("a slot table grows until it is at most half full, so that a free slot is near", () => {
  const table = new SlotTable<number>();
  const ids: number[] = [];
  for (let entry = 0; entry < 64; entry++) {
    const id = table.nextId();
    table.set(id, entry);
    ids.push(id);
  }
  // All ids in a row: none had to skip a slot.
  expect(ids).toEqual(Array.from({ length: 64 }, (_, index) => index + 1));
});

test("a table that mirrors the ids of another one grows until their slots are free", () => {
  const mirror = new SlotTable<string>();
  for (const id of [1, 9, 17, 1_025]) mirror.set(id, `entry ${id}`);
  expect([1, 9, 17, 1_025].map((id) => mirror.get(id))).toEqual(["entry 1", "entry 9", "entry 17", "entry 1025"]);
  expect(mirror.get(33)).toBeUndefined();
});

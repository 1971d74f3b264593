import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Frequency } from "./contract.ts";
import { resample, within } from "./resample.ts";
import { collect } from "./testing/rows.ts";

// 2024-01-05 is a Friday.
const DAYS = [
  { date: "2024-01-05", open: 10, high: 14, low: 9, close: 12, volume: 1 },
  { date: "2024-01-08", open: 12, high: 13, low: 8, close: 9, volume: 2 },
  { date: "2024-01-14", open: 9, high: 20, low: 9, close: 19, volume: 3 },
  { date: "2024-01-15", open: 19, high: 19, low: 19, close: 19, volume: 4 },
  { date: "2024-02-01", open: 5, high: 6, low: 4, close: 5, volume: 5 },
];

test("days pass unchanged", async () => {
  expect(await resampled("d")).toEqual(DAYS);
});

test("a week goes from Monday to Sunday, with its first open and its last close", async () => {
  expect(await resampled("w")).toEqual([
    DAYS[0],
    { date: "2024-01-08", open: 12, high: 20, low: 8, close: 19, volume: 5 },
    DAYS[3],
    DAYS[4],
  ]);
});

test("a month ends with its calendar month", async () => {
  expect(await resampled("m")).toEqual([
    { date: "2024-01-05", open: 10, high: 20, low: 8, close: 19, volume: 10 },
    DAYS[4],
  ]);
});

test("a source without rows has no periods", async () => {
  expect(await collect(resample(Readable.from([]), "m"))).toEqual([]);
});

test("the range includes both ends, and nothing after it is read", async () => {
  const query = { ticker: "ACME", start: "2024-01-08", end: "2024-01-14", freq: "d" as const };
  let read = 0;
  async function* days() {
    for (const day of DAYS) {
      read++;
      yield day;
    }
  }
  expect(await collect(within(days(), query))).toEqual([DAYS[1], DAYS[2]]);
  expect(read).toBe(4);
});

function resampled(freq: Frequency) {
  return collect(resample(Readable.from(DAYS), freq));
}

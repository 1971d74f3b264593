import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EmbeddedPrices } from "./embedded-prices.ts";
import { COMPANIES, generatePrices } from "./generated-prices.ts";
import { PriceError } from "./price-error.ts";
import { collect } from "./testing/rows.ts";

const QUERY = { ticker: "ACME", start: "2021-01-01", end: "2025-12-31", freq: "d" } as const;
const never = new AbortController().signal;

test("the files are those that generate-data writes", () => {
  expect(new EmbeddedPrices().tickers).toEqual(COMPANIES.map(({ ticker }) => ticker));
  for (const company of COMPANIES) {
    const file = join(import.meta.dirname, "../data", `${company.ticker}.csv`);
    expect(readFileSync(file, "utf8"), company.ticker).toBe(generatePrices(company));
  }
});

test("every ticker has five years of plausible prices", async () => {
  const source = new EmbeddedPrices();
  for (const ticker of source.tickers) {
    const rows = await collect(source.rows({ ...QUERY, ticker }, never));
    expect(rows.length).toBeGreaterThan(1250);
    for (const { low, high, open, close, volume } of rows) {
      expect(low).toBeLessThanOrEqual(Math.min(open, close));
      expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
      expect(volume).toBeGreaterThan(0);
    }
  }
});

test("five years have 60 months and 261 weeks", async () => {
  const source = new EmbeddedPrices();
  expect(await collect(source.rows({ ...QUERY, freq: "m" }, never))).toHaveLength(60);
  expect(await collect(source.rows({ ...QUERY, freq: "w" }, never))).toHaveLength(261);
});

test("a range without trading days has no rows", async () => {
  expect(await collect(new EmbeddedPrices().rows({ ...QUERY, end: "2021-01-03" }, never))).toEqual([]);
});

test("an unknown ticker is an error that lists the known ones", async () => {
  const rows = collect(new EmbeddedPrices().rows({ ...QUERY, ticker: "ZZZ" }, never));
  await expect(rows).rejects.toThrow(PriceError);
  await expect(rows).rejects.toThrow("There are no prices for ZZZ. The sample tickers are ACME, BREW, NORD, TIDE.");
});

test("an abort ends the wait for the next row", async () => {
  const abort = new AbortController();
  const rows = new EmbeddedPrices({ rowsPerSecond: 0.001 }).rows(QUERY, abort.signal);
  await rows.next();
  const next = rows.next();
  abort.abort(new Error("enough"));
  await expect(next).rejects.toThrow();
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { COMPANIES, generatePrices } from "./generated-prices.ts";
import { InvalidCsv } from "./price-csv.ts";
import { PriceFiles } from "./price-files.ts";
import { UnknownTicker } from "./price-source.ts";
import { collect } from "./testing/rows.ts";
import { samplePrices } from "./testing/system.ts";

const QUERY = { ticker: "ACME", start: "2021-01-01", end: "2025-12-31", freq: "d" } as const;
const never = new AbortController().signal;

test("the files are those that generate-data writes", async () => {
  expect(await samplePrices().tickers()).toEqual(COMPANIES.map(({ ticker }) => ticker));
  for (const company of COMPANIES) {
    const file = join(import.meta.dirname, "../data", `${company.ticker}.csv`);
    expect(readFileSync(file, "utf8"), company.ticker).toBe(generatePrices(company));
  }
});

test("every ticker has five years of plausible prices", async () => {
  const source = samplePrices();
  for (const ticker of await source.tickers()) {
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
  const source = samplePrices();
  expect(await collect(source.rows({ ...QUERY, freq: "m" }, never))).toHaveLength(60);
  expect(await collect(source.rows({ ...QUERY, freq: "w" }, never))).toHaveLength(261);
});

test("a range without trading days has no rows", async () => {
  expect(await collect(samplePrices().rows({ ...QUERY, end: "2021-01-03" }, never))).toEqual([]);
});

test.each(["ZZZ", "../data/ACME", "__proto__"])("there are no prices for %s", async (ticker) => {
  await expect(collect(samplePrices().rows({ ...QUERY, ticker }, never))).rejects.toThrow(UnknownTicker);
});

test("an abort ends the wait for the next row", async () => {
  const abort = new AbortController();
  const rows = samplePrices({ rowsPerSecond: 0.001 }).rows(QUERY, abort.signal);
  await rows.next();
  const next = rows.next();
  abort.abort(new Error("enough"));
  await expect(next).rejects.toThrow();
});

test("saved prices replace those of the ticker, and are read by every user of the folder", async () => {
  const folder = temporaryFolder();
  const files = new PriceFiles(join(folder, "new"));
  expect(await files.tickers()).toEqual([]);
  expect(await files.save("NEWT", bytesOf("date,close\n2024-01-02,", "7\n2024-01-03,8\n"))).toBe(2);
  const other = new PriceFiles(join(folder, "new"));
  expect(await other.tickers()).toEqual(["NEWT"]);
  const row = { date: "2024-01-02", open: 7, high: 7, low: 7, close: 7, volume: 0 };
  expect((await collect(other.rows({ ...QUERY, ticker: "NEWT" }, never)))[0]).toEqual(row);
  await files.save("NEWT", bytesOf("date,close\n2025-01-02,9\n"));
  expect(await collect(other.rows({ ...QUERY, ticker: "NEWT" }, never))).toMatchObject([{ close: 9 }]);
});

test.each([
  ["date,close\n2024-01-02,x\n", "row 2 has no number in the column close"],
  ["date,close\n", "there are no rows with a price"],
])("invalid prices leave those of before, case %#", async (text, message) => {
  const folder = temporaryFolder();
  const files = new PriceFiles(folder);
  await files.save("NEWT", bytesOf("date,close\n2024-01-02,7\n"));
  const saving = files.save("NEWT", bytesOf(text));
  await expect(saving).rejects.toThrow(InvalidCsv);
  await expect(saving).rejects.toThrow(message);
  expect(await collect(files.rows({ ...QUERY, ticker: "NEWT" }, never))).toMatchObject([{ close: 7 }]);
  expect(readdirSync(folder)).toEqual(["NEWT.csv"]);
});

test("an upload that breaks off leaves nothing", async () => {
  const folder = temporaryFolder();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* bytesOf("date,close\n2024-01-02,7\n");
    throw new Error("gone");
  }
  await expect(new PriceFiles(folder).save("NEWT", broken())).rejects.toThrow("gone");
  expect(readdirSync(folder)).toEqual([]);
});

test("uploads stop at the maximum number of tickers", async () => {
  const files = new PriceFiles(temporaryFolder(), { maxTickers: 1 });
  const text = "date,close\n2024-01-02,7\n";
  await files.save("NEWT", bytesOf(text));
  await expect(files.save("OTHER", bytesOf(text))).rejects.toThrow("there are uploads for 1 tickers already");
  await files.save("NEWT", bytesOf(text));
});

async function* bytesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pigato-prices-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// The web server as a browser sees it, with a real broker and worker behind it.

import { EventEmitter, once } from "node:events";
import { isError } from "@pigato/contract";
import { afterEach, beforeAll, expect, test } from "vitest";
import { stocks } from "./contract.ts";
import { type PriceSource, SourceFailed } from "./price-source.ts";
import { compilePage } from "./testing/compiled-page.ts";
import { type System, samplePrices, sourceOf, startSystem } from "./testing/system.ts";

const SPAN = "start=2024-01-01&end=2024-01-04&freq=d";
let system: System | undefined;

const neverAnswers = sourceOf(async function* (_query, signal) {
  signal.throwIfAborted();
  await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
});

beforeAll(compilePage);

afterEach(async () => {
  await system?.stop();
  system = undefined;
});

test("the response has one row per line, then the end", async () => {
  const { url } = await start(samplePrices());
  const response = await fetch(`${url}/prices?ticker=acme&${SPAN}`);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
  expect(await eventsOf(response)).toEqual([
    { type: "row", date: "2024-01-02", close: 47.62, volume: 2033455 },
    { type: "row", date: "2024-01-03", close: 46.69, volume: 1997007 },
    { type: "row", date: "2024-01-04", close: 46.57, volume: 1439267 },
    { type: "end" },
  ]);
});

test.each([
  ["ticker=&start=2024-01-01&end=2024-01-04", "Enter a ticker."],
  ["ticker=%3Cscript%3E&start=2024-01-01&end=2024-01-04", "A ticker has 1 to 12 letters, digits, dots or dashes"],
  ["ticker=ACME&ticker=BREW&start=2024-01-01&end=2024-01-04", "Enter a ticker."],
  ["ticker=ACME&start=2024-01-05&end=2024-01-04", "The start must not be after the end."],
  ["", "Enter a ticker."],
])("/prices?%s is rejected with a sentence", async (query, message) => {
  const { url } = await start();
  const response = await fetch(`${url}/prices?${query}`);
  expect(response.status).toBe(400);
  expect(await eventsOf(response)).toEqual([{ type: "error", message: expect.stringContaining(message) }]);
});

test("an unknown ticker and a missing worker are errors with a sentence", async () => {
  const { url, stop } = await start(samplePrices());
  expect(await eventsOf(await fetch(`${url}/prices?ticker=zzz&${SPAN}`))).toEqual([
    { type: "error", message: "There are no prices for ZZZ. There are prices for ACME, BREW, NORD, TIDE." },
  ]);
  await stop();
  const alone = await start();
  expect(await eventsOf(await fetch(`${alone.url}/prices?ticker=acme&${SPAN}`))).toEqual([
    { type: "error", message: "No price service is running right now. Please try again in a moment." },
  ]);
});

test("a failure after some rows follows these rows", async () => {
  const events = new EventEmitter();
  const arrived = once(events, "arrived");
  const { url } = await start(
    sourceOf(async function* () {
      yield { date: "2024-01-02", open: 1, high: 1, low: 1, close: 1, volume: 1 };
      await arrived;
      throw new SourceFailed("The connection to the price source broke off.");
    }),
  );
  const response = await fetch(`${url}/prices?ticker=acme&${SPAN}`);
  // The server sends the head of the response together with the first row.
  events.emit("arrived");
  expect(await eventsOf(response)).toEqual([
    { type: "row", date: "2024-01-02", close: 1, volume: 1 },
    { type: "error", message: "The connection to the price source broke off." },
  ]);
});

test("an invalid row is an error", async () => {
  const { url } = await start(
    sourceOf(async function* () {
      yield { date: "<b>", open: 1, high: 1, low: 1, close: 1, volume: 1 };
    }),
  );
  expect(await eventsOf(await fetch(`${url}/prices?ticker=acme&${SPAN}`))).toEqual([
    { type: "error", message: "The price service failed. Please try again later." },
  ]);
});

test("an upload is served, and listed with the other tickers", async () => {
  const { url, client } = await start(samplePrices());
  const api = client.of(stocks);
  const upload = new TextEncoder().encode("date,close\n2024-01-02,7\n2024-01-03,8\n");
  expect(await api.load(upload, { headers: { ticker: "newt" } })).toEqual({ ticker: "NEWT", rows: 2 });
  expect(await (await fetch(`${url}/tickers`)).json()).toEqual(["ACME", "BREW", "NORD", "TIDE", "NEWT"]);
  expect(await eventsOf(await fetch(`${url}/prices?ticker=newt&${SPAN}`))).toEqual([
    { type: "row", date: "2024-01-02", close: 7, volume: 0 },
    { type: "row", date: "2024-01-03", close: 8, volume: 0 },
    { type: "end" },
  ]);
});

test.each([
  ["NEWT", "<html>", "The prices were not loaded: the first line does not name the columns date and close."],
  ["../NEWT", "date,close\n", "A ticker has 1 to 12 letters, digits, dots or dashes, such as ACME."],
])("an upload as %s that is not valid is refused, case %#", async (ticker, text, reason) => {
  const { client } = await start(samplePrices());
  const [error] = await client.of(stocks).load.safe(new TextEncoder().encode(text), { headers: { ticker } });
  expect(isError(error, stocks.load, "INVALID_UPLOAD") && error.detail.reason).toBe(reason);
});

test.each([
  ["between two rows", 100],
  ["before the first row", 0],
])("a browser that disconnects %s stops the worker", async (_when, rowsPerSecond) => {
  const { url, log } = await start(rowsPerSecond === 0 ? neverAnswers : samplePrices({ rowsPerSecond }));
  const browser = new AbortController();
  const query = "ticker=ACME&start=2021-01-01&end=2025-12-31";
  const request = fetch(`${url}/prices?${query}`, { signal: browser.signal });
  await log.take((line) => line.startsWith("ACME: requested"));
  if (rowsPerSecond > 0) await request;
  browser.abort();
  await request.catch(() => {});
  await log.take((line) => /^ACME: canceled after \d+ rows$/.test(line));
});

test("the server serves the files of the page with security headers, and no other files", async () => {
  const { url } = await start();
  const page = await fetch(url);
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self' 'sha256-");
  const references = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = ""]) => path);
  expect(references).toContain("/page/main.js");
  const paths = [...references, "/uplot.js"];
  for (const path of paths) {
    const response = await fetch(url + path);
    expect(response.status, path).toBe(200);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    for (const [, imported = ""] of (await response.text()).matchAll(/from "\.\/([^"]+)"/g)) {
      if (!paths.includes(`/page/${imported}`)) paths.push(`/page/${imported}`);
    }
  }
  expect(paths.length).toBeGreaterThan(6);
  for (const path of [
    "/page/",
    "/page/../web-server.ts",
    "/page/%2e%2e/web-server.js",
    "/data/ACME.csv",
    "/package.json",
  ]) {
    expect((await fetch(url + path)).status, path).toBe(404);
  }
});

async function start(source?: PriceSource): Promise<System> {
  system = await startSystem(source);
  return system;
}

async function eventsOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

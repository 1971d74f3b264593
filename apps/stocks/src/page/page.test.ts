// The page in a real Chromium, with a real web server, broker and worker behind it.

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { argumentsFor } from "@pigato/testkit/programs";
import type axeCore from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { PriceQuery, PriceRow } from "../contract.ts";
import { type PriceSource, SourceFailed } from "../price-source.ts";
import { compilePage } from "../testing/compiled-page.ts";
import { type System, samplePrices, sourceOf, startSystem } from "../testing/system.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const SAMPLES = "There are no prices for ZZZ. There are prices for ACME, BREW, NORD, TIDE.";
const MARKUP = "<img src=/nowhere onerror=\"document.title='script ran'\">";

describe.skipIf(foreignPeers.chromium.isMissing)("the page", { timeout: 60_000 }, () => {
  let browser: Browser;
  let page: Page;
  let system: System;
  let errors: string[] = [];

  beforeAll(async () => {
    await compilePage();
    browser = await chromium.launch({ executablePath: foreignPeers.chromium.path });
  }, 60_000);

  afterEach(async () => {
    await page.close();
    await system.stop();
  });

  afterAll(() => browser?.close());

  test.each([
    [1280, "light"],
    [1280, "dark"],
    [400, "light"],
    [400, "dark"],
  ] as const)("draws the chart at %i px, %s, while the rows come in", async (width, colorScheme) => {
    const source = new HalfwayStop();
    await open(source, { width, colorScheme });
    await page.getByLabel("Ticker").fill("acme");
    await page.keyboard.press("Enter");

    await page.getByRole("progressbar", { name: "Prices received" }).waitFor();
    await page.getByText("400 prices, up to Jul 15, 2022").waitFor();
    await drawn();
    expect(await linePixels("left")).toBeGreaterThan(50);
    expect(await linePixels("right")).toBe(0);
    source.goOn();

    await page.getByText("Complete.").waitFor();
    await page.getByText("1,291 prices, Jan 4, 2021 to Dec 31, 2025").waitFor();
    await page.getByRole("heading", { name: "ACME" }).waitFor();
    await page.getByText("+11.57 (+27.6%)").waitFor();
    await page
      .getByRole("img", { name: /^A chart of ACME, Jan 4, 2021 to Dec 31, 2025: from 41.89 to 53.46/ })
      .waitFor();
    expect(await page.getByRole("progressbar").isVisible()).toBe(false);
    await drawn();
    expect(await linePixels("right")).toBeGreaterThan(50);

    await page.locator("#chart").hover();
    await page.getByText(/^[A-Z][a-z]{2} \d+, 2023: \d+\.\d\d, [\d,]+ traded$/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await accessibilityFaults()).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("cancel stops the worker and keeps the rows received before", async () => {
    await open(samplePrices({ rowsPerSecond: 100 }));
    await page.getByRole("button", { name: "BREW" }).click();
    await page.getByText("Receiving prices").waitFor();
    await page.getByRole("button", { name: "Cancel" }).press("Enter");
    await page.getByText("Canceled.").waitFor();
    await system.log.take((line) => /^BREW: canceled after \d+ rows$/.test(line));
    expect(await page.locator("#count").textContent()).toMatch(/^\d+ prices?, Jan/);
    expect(await page.getByRole("button", { name: "Draw" }).evaluate((draw) => draw === document.activeElement)).toBe(
      true,
    );
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });

  test("another ticker cancels the current chart", async () => {
    await open(samplePrices({ rowsPerSecond: 100 }));
    await page.getByRole("button", { name: "BREW" }).click();
    await page.getByText("Receiving prices").waitFor();
    await page.getByLabel("Month").check({ force: true });
    await page.getByRole("button", { name: "TIDE" }).click();
    await page.getByText("60 prices, Jan 4, 2021 to Dec 1, 2025").waitFor();
    await system.log.take((line) => line.startsWith("BREW: canceled after"));
    await system.log.take((line) => line === "TIDE: sent 60 rows");
  });

  test("closing the page stops the worker", async () => {
    await open(samplePrices({ rowsPerSecond: 100 }));
    await page.getByRole("button", { name: "NORD" }).click();
    await page.getByText("Receiving prices").waitFor();
    await page.close();
    await system.log.take((line) => line.startsWith("NORD: canceled after"));
  });

  test("the page explains an unknown ticker, and draws the next one", async () => {
    await open(samplePrices());
    await page.getByLabel("Ticker").fill("zzz");
    await page.getByRole("button", { name: "Draw" }).click();
    await page.getByRole("alert").getByText(SAMPLES).waitFor();
    expect(await page.locator("#count").textContent()).toBe("");
    expect(await accessibilityFaults()).toEqual([]);
    await page.getByRole("button", { name: "ACME" }).click();
    await page.getByText("Complete.").waitFor();
    expect(await page.getByRole("alert").isVisible()).toBe(false);
  });

  test("the page explains an empty range and an invalid one", async () => {
    await open(samplePrices());
    await page.getByLabel("From").fill("2019-01-01");
    await page.getByLabel("To").fill("2019-12-31");
    await page.getByRole("button", { name: "ACME" }).click();
    await page.getByText("There are no prices from Jan 1, 2019 to Dec 31, 2019.").waitFor();
    await page.getByLabel("From").fill("2020-01-01");
    await page.getByRole("button", { name: "Draw" }).click();
    await page.getByRole("alert").getByText("The start must not be after the end.").waitFor();
  });

  test("the page explains the loss of the worker and keeps the rows received before", async () => {
    await open();
    const program = argumentsFor(join(import.meta.dirname, "../worker.ts"));
    const worker = spawn(process.execPath, [...program, system.address, "--rows-per-second", "100"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(worker.stdout, "data", { signal: AbortSignal.timeout(40_000) });
      await page.getByRole("button", { name: "ACME" }).click();
      await page.getByText("Receiving prices").waitFor();
    } finally {
      worker.kill("SIGKILL");
    }
    const problem = "The price service stopped while it was working. Please try again.";
    await page.getByRole("alert").getByText(problem).waitFor();
    await page.getByText("Incomplete: these prices arrived before it failed.").waitFor();
    await drawn();
    expect(await page.locator("#count").textContent()).toMatch(/^\d+ prices?, Jan 4, 2021 to/);
    expect(await linePixels("left")).toBeGreaterThan(10);
    await page.getByRole("button", { name: "Draw" }).click();
    await page.getByRole("alert").getByText("No price service is running right now.").waitFor();
  });

  test("the page explains the loss of the web server", async () => {
    await open(samplePrices({ rowsPerSecond: 100 }));
    await page.getByRole("button", { name: "ACME" }).click();
    await page.getByText("Receiving prices").waitFor();
    await system.closeWebServer();
    await page.getByRole("alert").getByText("The connection was cut off before all prices had arrived.").waitFor();
    await page.getByRole("button", { name: "Draw" }).click();
    await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  });

  test("the page shows markup in a link or an error as text", async () => {
    await open(
      // biome-ignore lint/correctness/useYield: it throws first
      sourceOf(async function* () {
        throw new SourceFailed(MARKUP);
      }),
    );
    await page.getByRole("button", { name: "ACME" }).click();
    await page.getByRole("alert").getByText(MARKUP).waitFor();
    await page.goto(`${system.url}/?${new URLSearchParams({ ticker: MARKUP })}`);
    await page.getByRole("heading", { name: MARKUP.toUpperCase() }).waitFor();
    expect(await page.title()).toBe("Stocks");
    expect(await page.locator("img").count()).toBe(0);
  });

  test("a link with a query draws its chart", async () => {
    await open(samplePrices());
    await page.goto(`${system.url}/?ticker=TIDE&start=2023-01-01&end=2023-12-31&freq=w`);
    await page.getByText("52 prices, Jan 2, 2023 to Dec 27, 2023").waitFor();
    expect(await page.getByLabel("Week").isChecked()).toBe(true);
  });

  async function open(source?: PriceSource, { width = 1280, colorScheme = "light" }: Appearance = {}): Promise<void> {
    system = await startSystem(source);
    page = await browser.newPage({ viewport: { width, height: 860 }, colorScheme, deviceScaleFactor: 1 });
    page.setDefaultTimeout(20_000);
    errors = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(system.url);
  }

  /** Number of pixels of the line in one half of the chart. */
  function linePixels(half: "left" | "right"): Promise<number> {
    return page.evaluate((side) => {
      const canvas = document.querySelector("canvas");
      const context = canvas?.getContext("2d");
      if (!canvas || !context) return -1;
      const color = getComputedStyle(document.documentElement).getPropertyValue("--chart-line").trim();
      const line = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
      const from = side === "left" ? 0 : Math.floor(canvas.width / 2);
      const { data } = context.getImageData(from, 0, Math.floor(canvas.width / 2), canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (line.every((value, channel) => Math.abs(value - (data[at + channel] ?? 0)) < 12)) count++;
      }
      return count;
    }, half);
  }

  /** Waits until the canvas shows the rows received so far. */
  function drawn(): Promise<void> {
    return page.evaluate(
      () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
    );
  }

  async function accessibilityFaults(): Promise<string[]> {
    // Evaluated, because the content security policy of the page allows only its own scripts.
    await page.evaluate(AXE);
    return page.evaluate(async () => {
      const { violations } = await globalThis.axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
  }
});

declare global {
  var axe: typeof axeCore;
}

/** The embedded prices, stopped after the first 400 rows until `goOn` is called. */
class HalfwayStop implements PriceSource {
  readonly #events = new EventEmitter();
  readonly #continued = once(this.#events, "go on");

  goOn(): void {
    this.#events.emit("go on");
  }

  tickers(): Promise<readonly string[]> {
    return samplePrices().tickers();
  }

  async *rows(query: PriceQuery, signal: AbortSignal): AsyncGenerator<PriceRow> {
    let count = 0;
    for await (const row of samplePrices().rows(query, signal)) {
      if (count++ === 400) await this.#continued;
      yield row;
    }
  }
}

interface Appearance {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

// The chart: closing prices as a line, volumes as bars below. It redraws at most once per frame, however fast rows arrive.

import uPlot from "uplot";

export interface Point {
  /** As `2024-01-31`. */
  readonly date: string;
  readonly close: number;
  readonly volume: number;
}

const LABEL = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const MONTH = new Intl.DateTimeFormat("en", { timeZone: "UTC", month: "short" });
const DAY = new Intl.DateTimeFormat("en", { timeZone: "UTC", month: "short", day: "numeric" });

export class PriceChart {
  readonly #host: HTMLElement;
  readonly #plot: uPlot;
  #points: Point[] = [];
  #seconds: number[] = [];
  #closes: number[] = [];
  #volumes: number[] = [];
  /** The range of the time axis in seconds since 1970; `undefined` once all rows are there: then the rows define it. */
  #span: readonly [number, number] | undefined;
  #isDrawing = false;

  /** @param onHover gets the point under the pointer, and `undefined` when the pointer leaves */
  constructor(host: HTMLElement, onHover: (point: Point | undefined) => void) {
    this.#host = host;
    this.#plot = new uPlot(this.#options(onHover), [[], [], []], host);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw());
  }

  /** Clears the chart and sets the range of its time axis. */
  begin(start: string, end: string): void {
    this.#points = [];
    this.#seconds = [];
    this.#closes = [];
    this.#volumes = [];
    this.#span = [secondsOf(start), secondsOf(end)];
    this.#drawSoon();
  }

  add(point: Point): void {
    this.#points.push(point);
    this.#seconds.push(secondsOf(point.date));
    this.#closes.push(point.close);
    this.#volumes.push(point.volume);
    this.#drawSoon();
  }

  /** All rows have arrived: they define the range from now on. */
  end(): void {
    this.#span = undefined;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#plot.setData([this.#seconds, this.#closes, this.#volumes]);
    });
  }

  #size(): { width: number; height: number } {
    return { width: this.#host.clientWidth, height: this.#host.clientHeight };
  }

  #options(onHover: (point: Point | undefined) => void): uPlot.Options {
    const grid = { stroke: color("--chart-grid"), width: 1 };
    const axis = { stroke: color("--chart-text"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    return {
      ...this.#size(),
      padding: [12, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: {
        x: { range: (_plot, first, last) => this.#spanOr(first, last) },
        y: { range: (_plot, low, high) => priceRange(low, high) },
        // The bars take the lowest fifth.
        volume: { range: (_plot, _low, high) => [0, (high || 1) * 5] },
      },
      axes: [
        { ...axis, grid: { show: false }, space: 64, size: 28, values: (_plot, splits) => dayLabels(splits) },
        { ...axis, grid, size: 56, values: (_plot, splits) => this.#priceLabels(splits) },
      ],
      series: [
        {},
        { stroke: color("--chart-line"), fill: color("--chart-fill"), width: 2, points: { show: false } },
        {
          scale: "volume",
          fill: color("--chart-volume"),
          points: { show: false },
          ...(uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.7, 24] }) } : {}),
        },
      ],
      hooks: {
        setCursor: [(plot) => onHover(typeof plot.cursor.idx === "number" ? this.#points[plot.cursor.idx] : undefined)],
      },
    };
  }

  /** No labels while the chart is empty. */
  #priceLabels(splits: readonly number[]): string[] {
    return splits.map((price) => (this.#points.length > 0 ? LABEL.format(price) : ""));
  }

  #spanOr(first: number | null, last: number | null): [number, number] {
    const [from, to] = this.#span ?? [first ?? 0, last ?? 1];
    return from < to ? [from, to] : [from - 86_400, to + 86_400];
  }
}

/** Adds a margin above, and a larger one below for the bars. Prices that are not negative never get a negative bottom. */
function priceRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const spread = high - low || Math.abs(high) * 0.1 || 1;
  const bottom = low - spread * 0.3;
  return [low >= 0 ? Math.max(0, bottom) : bottom, high + spread * 0.08];
}

/** The year in January, otherwise the month; or days if the chart shows only a few months. */
function dayLabels(splits: readonly number[]): string[] {
  const [first = 0, second = 0] = splits;
  const stepDays = (second - first) / 86_400;
  return splits.map((seconds) => {
    const date = new Date(seconds * 1000);
    if (stepDays < 27) return DAY.format(date);
    return date.getUTCMonth() === 0 ? String(date.getUTCFullYear()) : MONTH.format(date);
  });
}

function secondsOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 1000;
}

/** A color of the style sheet. It is read for every drawing, because the theme may change. */
function color(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

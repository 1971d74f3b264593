// The chart: closes as a line, volumes as bars below. Rows may come one by one and fast; it draws once per frame.

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
  /** The days that the chart spans, as seconds since 1970; the rows' own once all are there. */
  #span: readonly [number, number] | undefined;
  #isDrawing = false;

  /** @param onHover is told what the pointer is at, and when it leaves */
  constructor(host: HTMLElement, onHover: (point: Point | undefined) => void) {
    this.#host = host;
    this.#plot = new uPlot(this.#options(onHover), [[], [], []], host);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw());
  }

  /** Empties it, and leaves room for rows of these days. */
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

  /** No more rows come: those there are fill the chart. */
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
    const grid = { stroke: colour("--chart-grid"), width: 1 };
    const axis = { stroke: colour("--chart-text"), font: "12px system-ui, sans-serif", ticks: { show: false } };
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
        { stroke: colour("--chart-line"), fill: colour("--chart-fill"), width: 2, points: { show: false } },
        {
          scale: "volume",
          fill: colour("--chart-volume"),
          points: { show: false },
          ...(uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.7, 24] }) } : {}),
        },
      ],
      hooks: {
        setCursor: [(plot) => onHover(typeof plot.cursor.idx === "number" ? this.#points[plot.cursor.idx] : undefined)],
      },
    };
  }

  /** Like the numbers beside the chart; none while there is nothing to measure. */
  #priceLabels(splits: readonly number[]): string[] {
    return splits.map((price) => (this.#points.length > 0 ? LABEL.format(price) : ""));
  }

  #spanOr(first: number | null, last: number | null): [number, number] {
    const [from, to] = this.#span ?? [first ?? 0, last ?? 1];
    return from < to ? [from, to] : [from - 86_400, to + 86_400];
  }
}

/** Some air above, more below, where the bars are; but no prices below nothing. */
function priceRange(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const spread = high - low || Math.abs(high) * 0.1 || 1;
  const bottom = low - spread * 0.3;
  return [low >= 0 ? Math.max(0, bottom) : bottom, high + spread * 0.08];
}

/** Years where they begin; else months, or days when less than a few months are shown. */
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

/** A colour of the style sheet, read at every drawing, because the theme may change. */
function colour(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

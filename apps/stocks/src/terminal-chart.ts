// A chart of prices as text.

import { plot } from "asciichart";

export interface ChartSize {
  readonly columns: number;
  readonly lines: number;
}

/** Columns to the left of the line: the price, a space and the axis. */
const MARGIN = 12;

/** Draws at most one price per column: of more prices, evenly spread ones that include the last. */
export function terminalChart(prices: readonly number[], { columns, lines }: ChartSize): string {
  const room = Math.max(1, columns - MARGIN);
  const count = Math.min(prices.length, room);
  const shown = Array.from({ length: count }, (_, at) => {
    const from = count === 1 ? prices.length - 1 : Math.round((at * (prices.length - 1)) / (count - 1));
    return prices[from] ?? 0;
  });
  if (shown.length === 0) return "";
  return plot(shown, { height: Math.max(1, lines - 1), format: (price) => price.toFixed(2).padStart(MARGIN - 2) });
}

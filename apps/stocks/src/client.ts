// Draws prices in the terminal as they arrive. Usage: node dist/client.js [ticker] [start] [end] [freq]
//   --broker ADDRESS       default tcp://localhost:55555
// Ctrl-C cancels the request, which stops the worker.

import { parseArgs } from "node:util";
import { Client } from "@pigato/client";
import logUpdate from "log-update";
import { PriceQuery, type PriceRow, stocks } from "./contract.ts";
import { describeFailure } from "./failure-text.ts";
import { terminalChart } from "./terminal-chart.ts";

const REDRAW_MS = 50;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { broker: { type: "string", default: "tcp://localhost:55555" } },
});
const [ticker = "ACME", start = "2021-01-01", end = "2025-12-31", freq = "d"] = positionals;

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

const client = new Client(values.broker);
await client.start();
const api = client.of(stocks, { signal: interrupt.signal, failFast: true, validate: true });

const closes: number[] = [];
let last: PriceRow | undefined;
let drawnAt = 0;
try {
  const query = PriceQuery.parse({ ticker, start, end, freq });
  for await (const row of api.prices(query)) {
    last = row;
    closes.push(row.close);
    if (process.stdout.isTTY && performance.now() - drawnAt > REDRAW_MS) {
      logUpdate(chartText());
      drawnAt = performance.now();
    }
  }
  // A file or a pipe gets the final chart only.
  if (process.stdout.isTTY) logUpdate(chartText());
  else console.log(chartText());
} catch (error) {
  logUpdate.done();
  console.error(describeFailure(error));
  process.exitCode = 1;
}
await client.stop();

function chartText(): string {
  if (last === undefined) return `${ticker.toUpperCase()}: no prices from ${start} to ${end}.`;
  const { columns = 80, rows = 24 } = process.stdout;
  const title = `${ticker.toUpperCase()}  ${last.close.toFixed(2)} on ${last.date}  (${closes.length} rows)`;
  return `${title}\n\n${terminalChart(closes, { columns, lines: Math.min(20, rows - 4) })}`;
}

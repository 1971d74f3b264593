// A worker that streams prices. Usage: node dist/worker.js [address, default tcp://localhost:55555]
//   --source URL           get prices from this URL, for example https://host/{ticker}.csv?from={start}, not from the data set
//   --rows-per-second N    limit the rows per second of the data set; no limit by default

import { parseArgs } from "node:util";
import { Worker } from "@pigato/worker";
import { EmbeddedPrices } from "./embedded-prices.ts";
import { HttpPrices } from "./http-prices.ts";
import { stockHandler } from "./stock-handler.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { source: { type: "string" }, "rows-per-second": { type: "string", default: "Infinity" } },
});

const rowsPerSecond = Number(values["rows-per-second"]);
if (!(rowsPerSecond > 0))
  throw new RangeError(`--rows-per-second must be a number above 0, not ${values["rows-per-second"]}`);
const source = values.source ? new HttpPrices(values.source) : new EmbeddedPrices({ rowsPerSecond });

const worker = new Worker(positionals[0] ?? "tcp://localhost:55555", "stock", { concurrency: 20 });
worker.on("request", stockHandler(source, console.log));

process.once("SIGTERM", () => worker.stop());
process.once("SIGINT", () => worker.stop());

try {
  await worker.start();
  console.log('ready to serve "stock"');
} catch (error) {
  // A signal came before a broker answered.
  if (!isClosed(error)) throw error;
}

function isClosed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "CLOSED";
}

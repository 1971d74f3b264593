// Serves the contract. Usage: node dist/worker.js [address, default tcp://localhost:55555]
//   --source URL           get prices from this URL, for example https://host/{ticker}.csv?from={start}, not from the data set
//   --rows-per-second N    limit the rows per second of the data set; no limit by default
//   --uploads FOLDER       of uploaded prices; several workers may share it. By default the folder `uploads` of the app

import { join } from "node:path";
import { parseArgs } from "node:util";
import { Host } from "@pigato/service";
import { stocks } from "./contract.ts";
import { HttpPrices } from "./http-prices.ts";
import { PriceFiles } from "./price-files.ts";
import { stockHandlers } from "./stock-handlers.ts";

const APP = join(import.meta.dirname, "..");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    source: { type: "string" },
    "rows-per-second": { type: "string", default: "Infinity" },
    uploads: { type: "string", default: join(APP, "uploads") },
  },
});

const rowsPerSecond = Number(values["rows-per-second"]);
if (!(rowsPerSecond > 0))
  throw new RangeError(`--rows-per-second must be a number above 0, not ${values["rows-per-second"]}`);
const source = values.source ? new HttpPrices(values.source) : new PriceFiles(join(APP, "data"), { rowsPerSecond });
const uploads = new PriceFiles(values.uploads, { rowsPerSecond });

const host = new Host(positionals[0] ?? "tcp://localhost:55555", { concurrency: 20 });
host.serve(stocks, stockHandlers({ source, uploads }, console.log));

process.once("SIGTERM", () => host.stop());
process.once("SIGINT", () => host.stop());

try {
  await host.start();
  console.log('ready to serve "stocks"');
} catch (error) {
  // A signal came before a broker answered.
  if (!isClosed(error)) throw error;
}

function isClosed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "CLOSED";
}

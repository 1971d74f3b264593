// A worker that streams prices. Usage: node dist/worker.js [address, default tcp://localhost:55555]
//   --source URL           prices from there instead of the embedded ones, e.g. https://host/{ticker}.csv?from={start}
//   --rows-per-second N    the pace of the embedded prices; as fast as can be by default

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
if (!(rowsPerSecond > 0)) throw new RangeError("--rows-per-second must be a number above 0");
const source = values.source ? new HttpPrices(values.source) : new EmbeddedPrices({ rowsPerSecond });

const worker = new Worker(positionals[0] ?? "tcp://localhost:55555", "stock", { concurrency: 20 });
worker.on("request", stockHandler(source, console.log));
await worker.start();
console.log('ready to serve "stock"');

process.once("SIGTERM", () => worker.stop());
process.once("SIGINT", () => worker.stop());

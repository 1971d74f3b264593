// Uploads a CSV file as the prices of a ticker. Usage: node dist/upload.js file [ticker, by default the name of the file]
//   --broker ADDRESS       default tcp://localhost:55555
// Ctrl-C cancels the upload, and the ticker keeps the prices it had.

import { createReadStream } from "node:fs";
import { basename, extname } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "@pigato/client";
import { stocks } from "./contract.ts";
import { describeFailure } from "./failure-text.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { broker: { type: "string", default: "tcp://localhost:55555" } },
});
const [file] = positionals;
if (file === undefined) {
  console.error("Name the file to upload: upload prices.csv ACME");
  process.exit(1);
}
const ticker = positionals[1] ?? basename(file, extname(file));

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

const client = new Client(values.broker);
await client.start();
const api = client.of(stocks, { signal: interrupt.signal, failFast: true });

// The file is read at the pace at which the worker takes its bytes.
const [error, loaded] = await api.load.safe(createReadStream(file), { headers: { ticker } });
if (error) {
  console.error(!interrupt.signal.aborted && isUnread(error) ? error.cause.message : describeFailure(error));
  process.exitCode = 1;
} else {
  console.log(
    `${loaded.ticker}: loaded ${loaded.rows} rows. There are prices for ${(await api.tickers()).join(", ")}.`,
  );
}
await client.stop();

/** Whether the file could not be read, which cancels the upload. */
function isUnread(failure: Error): failure is Error & { readonly cause: Error } {
  return "code" in failure && failure.code === "CANCELED" && failure.cause instanceof Error;
}

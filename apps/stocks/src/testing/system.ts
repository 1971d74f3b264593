// Runs a broker, the web server and optionally a worker in this process, on free ports.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Host } from "@pigato/service";
import { Inbox } from "@pigato/testkit";
import { stocks } from "../contract.ts";
import { PriceFiles, type PriceFilesOptions } from "../price-files.ts";
import type { PriceSource } from "../price-source.ts";
import { stockHandlers } from "../stock-handlers.ts";
import { createWebServer } from "../web-server.ts";

export interface System {
  /** Of the broker. */
  readonly address: string;
  /** Of the web server. */
  readonly url: string;
  readonly client: Client;
  /** Log lines of the worker. */
  readonly log: Inbox<string>;
  closeWebServer(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(source?: PriceSource): Promise<System> {
  const broker = new Broker("tcp://127.0.0.1:*");
  await broker.start();
  const [address = ""] = broker.addresses;
  const log = new Inbox<string>();
  const folder = mkdtempSync(join(tmpdir(), "pigato-stocks-"));
  const host = new Host(address, { stopTimeoutMs: 100 });
  if (source) {
    host.serve(
      stocks,
      stockHandlers({ source, uploads: new PriceFiles(folder) }, (line) => log.add(line)),
    );
    await host.start();
  }
  const client = new Client(address, { stopTimeoutMs: 100 });
  await client.start();
  const webServer = createWebServer(client);
  const url = await webServer.listen({ host: "127.0.0.1", port: 0 });
  return {
    address,
    url,
    client,
    log,
    closeWebServer: () => webServer.close(),
    stop: async () => {
      await webServer.close();
      await client.stop();
      if (source) await host.stop();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The data set of the app. */
export function samplePrices(options?: PriceFilesOptions): PriceFiles {
  return new PriceFiles(join(import.meta.dirname, "../../data"), options);
}

/** A source of these rows. */
export function sourceOf(rows: PriceSource["rows"]): PriceSource {
  return { tickers: async () => [], rows };
}

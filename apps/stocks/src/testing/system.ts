// Runs a broker, the web server and optionally a worker in this process, on free ports.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Inbox } from "@pigato/testkit";
import { Worker } from "@pigato/worker";
import type { PriceSource } from "../price-source.ts";
import { stockHandler } from "../stock-handler.ts";
import { createWebServer } from "../web-server.ts";

export interface System {
  /** Of the broker. */
  readonly address: string;
  /** Of the web server. */
  readonly url: string;
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
  const worker = new Worker(address, "stock", { stopTimeoutMs: 100 });
  if (source) {
    worker.on(
      "request",
      stockHandler(source, (line) => log.add(line)),
    );
    await worker.start();
  }
  const client = new Client(address, { stopTimeoutMs: 100 });
  await client.start();
  const webServer = createWebServer(client);
  const url = await webServer.listen({ host: "127.0.0.1", port: 0 });
  return {
    address,
    url,
    log,
    closeWebServer: () => webServer.close(),
    stop: async () => {
      await webServer.close();
      await client.stop();
      if (source) await worker.stop();
      await broker.stop();
    },
  };
}

// A broker, the web front and, if wanted, a worker in this process, at ports of their own.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { createFront } from "../front.ts";
import type { PriceSource } from "../price-source.ts";
import { stockHandler } from "../stock-handler.ts";
import { Lines } from "./lines.ts";

export interface System {
  /** Of the broker. */
  readonly address: string;
  /** Of the web front. */
  readonly url: string;
  /** What the worker of this process logs. */
  readonly log: Lines;
  closeFront(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(source?: PriceSource): Promise<System> {
  const broker = new Broker("tcp://127.0.0.1:*");
  await broker.start();
  const [address = ""] = broker.addresses;
  const log = new Lines();
  const worker = new Worker(address, "stock", { stopTimeoutMs: 100 });
  if (source) {
    worker.on("request", stockHandler(source, log.add));
    await worker.start();
  }
  const client = new Client(address, { stopTimeoutMs: 100 });
  await client.start();
  const front = createFront(client);
  const url = await front.listen({ host: "127.0.0.1", port: 0 });
  return {
    address,
    url,
    log,
    closeFront: () => front.close(),
    stop: async () => {
      await front.close();
      await client.stop();
      if (source) await worker.stop();
      await broker.stop();
    },
  };
}

// Brokers, clients and workers of the `pigato` package, and raw sockets beside them. Everything is stopped when the current
// test has finished.

import type { RawPeer } from "@pigato/testkit/raw-peer";
import PIGATO, { type ClientConf, type Reply, type WorkerConf } from "pigato";
import { onTestFinished } from "vitest";
import { connectRawPeer, LOOPBACK } from "../support/start.ts";
import { happened } from "./libraries.ts";

type Handler = (data: unknown, reply: Reply) => unknown;

/** The outcome of a request in the callback form. */
export interface Ended {
  readonly partials: readonly unknown[];
  readonly error: unknown;
  readonly value: unknown;
}

let services = 0;

export function newService(): string {
  services += 1;
  return `service-${services}`;
}

export async function startBroker(
  conf: object = {},
  address: string = LOOPBACK,
): Promise<InstanceType<typeof PIGATO.Broker>> {
  const broker = new PIGATO.Broker(address, { ...conf });
  onTestFinished(() => broker.stop());
  const started = happened(broker, "start");
  broker.start();
  await started;
  return broker;
}

/** A client that is connected. */
export async function startClient(address: string, conf: ClientConf = {}): Promise<InstanceType<typeof PIGATO.Client>> {
  const client = new PIGATO.Client(address, conf);
  onTestFinished(() => client.stop());
  const connected = happened(client, "connect");
  client.start();
  await connected;
  return client;
}

/** A worker that is registered. */
export async function startWorker(
  address: string,
  service: string,
  handler: Handler,
  conf: WorkerConf = {},
): Promise<InstanceType<typeof PIGATO.Worker>> {
  const worker = new PIGATO.Worker(address, service, conf);
  worker.on("request", handler);
  onTestFinished(() => worker.stop());
  const connected = happened(worker, "connect");
  worker.start();
  await connected;
  return worker;
}

/** A raw worker that the broker has replied to and that has reported its concurrency. */
export async function registerRawWorker(address: string, service: string, concurrency: number): Promise<RawPeer> {
  const peer = connectRawPeer(address);
  await peer.send("W", "1", service);
  await peer.send("W", "4", "", JSON.stringify({ concurrency }));
  await peer.receive("W", "1");
  await peer.receive("W", "4");
  return peer;
}

/** Sends a request in the callback form. */
export function send(
  client: InstanceType<typeof PIGATO.Client>,
  service: string,
  data: unknown,
  options: object = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const partials: unknown[] = [];
    client.request(
      service,
      data,
      (_error, value) => partials.push(value),
      (error, value) => resolve({ partials, error, value }),
      { timeout: 10_000, ...options },
    );
  });
}

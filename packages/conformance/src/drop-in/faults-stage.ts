// What the tests of the original's faults share: a broker of the `pigato` package, peers of it, and raw sockets beside
// them. Everything is stopped behind a test.

import { RawPeer } from "@pigato/testkit/raw-peer";
import PIGATO, { type ClientConf, type Reply, type WorkerConf } from "pigato";
import { afterEach } from "vitest";
import { happened } from "./libraries.ts";

type Handler = (data: unknown, reply: Reply) => unknown;

/** How a request in the callback form ended. */
export interface Ended {
  readonly partials: readonly unknown[];
  readonly error: unknown;
  readonly value: unknown;
}

export class FaultStage {
  #stops: (() => void)[] = [];
  #names = 0;

  constructor() {
    afterEach(() => {
      for (const stop of this.#stops.splice(0).reverse()) stop();
    });
  }

  newService(): string {
    this.#names += 1;
    return `service-${this.#names}`;
  }

  async broker(conf: object = {}, address = "tcp://127.0.0.1:*"): Promise<InstanceType<typeof PIGATO.Broker>> {
    const broker = new PIGATO.Broker(address, { ...conf });
    this.#stops.push(() => broker.stop());
    const started = happened(broker, "start");
    broker.start();
    await started;
    return broker;
  }

  /** A client that has met its broker. */
  async client(address: string, conf: ClientConf = {}): Promise<InstanceType<typeof PIGATO.Client>> {
    const client = new PIGATO.Client(address, conf);
    this.#stops.push(() => client.stop());
    const connected = happened(client, "connect");
    client.start();
    await connected;
    return client;
  }

  /** A worker that has met its broker. */
  async worker(
    address: string,
    service: string,
    handler: Handler,
    conf: WorkerConf = {},
  ): Promise<InstanceType<typeof PIGATO.Worker>> {
    const worker = new PIGATO.Worker(address, service, conf);
    worker.on("request", handler);
    this.#stops.push(() => worker.stop());
    const connected = happened(worker, "connect");
    worker.start();
    await connected;
    return worker;
  }

  raw(address: string, id: string = crypto.randomUUID()): RawPeer {
    const peer = new RawPeer(address, id);
    this.#stops.push(() => peer.close());
    return peer;
  }

  /** A raw worker that the broker has answered and that has told its concurrency. */
  async rawWorker(address: string, service: string, concurrency: number): Promise<RawPeer> {
    const peer = this.raw(address);
    await peer.send("W", "1", service);
    await peer.send("W", "4", "", JSON.stringify({ concurrency }));
    await peer.receive("W", "1");
    await peer.receive("W", "4");
    return peer;
  }
}

/** Makes a request in the callback form. */
export function ask(
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

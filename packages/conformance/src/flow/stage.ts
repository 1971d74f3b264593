// A broker and peers around it that send and read long replies at a pace of their own. Everything is closed when the test
// is over.

import { Broker, type BrokerOptions } from "@pigato/broker";
import { Client, type ClientOptions } from "@pigato/client";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import { onTestFinished } from "vitest";
import { RawPeer } from "../support/raw-peer.ts";

export const SERVICE = "rows";
/** For what takes next to no time, unless the machine is busy. */
export const PATIENTLY = { timeout: 10_000 } as const;

export class FlowStage {
  readonly broker: Broker;
  readonly address: string;

  static async open(options: BrokerOptions = {}, bind = "tcp://127.0.0.1:*"): Promise<FlowStage> {
    const broker = new Broker(bind, { stopTimeoutMs: 0, ...options });
    onTestFinished(() => broker.stop());
    await broker.start();
    return new FlowStage(broker);
  }

  private constructor(broker: Broker) {
    this.broker = broker;
    this.address = broker.addresses[0] ?? "";
  }

  async client(options: ClientOptions = {}): Promise<Client> {
    const client = new Client(this.address, { stopTimeoutMs: 0, ...options });
    onTestFinished(() => client.stop());
    await client.start();
    return client;
  }

  async worker(handler: (data: unknown, reply: Reply) => unknown, options: WorkerOptions = {}): Promise<Worker> {
    const worker = new Worker(this.address, SERVICE, { stopTimeoutMs: 0, ...options });
    worker.on("request", handler);
    onTestFinished(() => worker.stop());
    await worker.start();
    return worker;
  }

  raw(id: string): RawPeer {
    const peer = new RawPeer(this.address, id);
    onTestFinished(() => peer.close());
    return peer;
  }
}

/** Numbered parts of this size, as text: `0:xxxx…`. */
export function part(number: number, bytes: number): string {
  return `${number}:`.padEnd(bytes, "x");
}

/** The number of a part. */
export function numberOf(value: unknown): number {
  return Number.parseInt(String(value), 10);
}

// A broker, its workers and a client over tcp, for one failure. Everything is closed when the test is over.

import { Broker, type BrokerOptions } from "@pigato/broker";
import { type CallOptions, Client, type ClientOptions } from "@pigato/client";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import { onTestFinished } from "vitest";
import { RawPeer } from "../support/raw-peer.ts";

export const SERVICE = "echo";

/** A request that is to fail. */
export interface Asked {
  /** Resolves when its broker has said that it waits. */
  readonly queued: Promise<unknown>;
  readonly failure: Promise<unknown>;
}

export class Scene {
  readonly broker: Broker;
  readonly address: string;
  readonly client: Client;

  static async open(options: BrokerOptions = {}, clientOptions: ClientOptions = {}): Promise<Scene> {
    const broker = new Broker("tcp://127.0.0.1:*", { stopTimeoutMs: 0, ...options });
    onTestFinished(() => broker.stop());
    await broker.start();
    const scene = new Scene(broker, clientOptions);
    await scene.client.start();
    return scene;
  }

  private constructor(broker: Broker, clientOptions: ClientOptions) {
    this.broker = broker;
    this.address = broker.addresses[0] ?? "";
    this.client = newClient(this.address, clientOptions);
  }

  async worker(handler: (data: unknown, reply: Reply) => unknown, options: WorkerOptions = {}): Promise<Worker> {
    const worker = new Worker(this.address, SERVICE, { stopTimeoutMs: 0, ...options });
    worker.on("request", handler);
    onTestFinished(() => worker.stop());
    await worker.start();
    return worker;
  }

  /** A worker that takes one request at a time and never answers, and the first request, which it holds. */
  async held(options: CallOptions = {}): Promise<Asked & { readonly worker: Worker }> {
    let onHeld: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      onHeld = resolve;
    });
    const worker = await this.worker(onHeld, { concurrency: 1 });
    const asked = ask(this.client, options);
    await held;
    return { ...asked, worker };
  }

  /** A request that one worker has declined and that waits for another, which holds a first one. */
  async declined(options: CallOptions = {}): Promise<Asked> {
    await this.held();
    await this.worker((_data, reply) => reply.reject());
    const asked = ask(this.client, options);
    await asked.queued;
    return asked;
  }

  /** A peer that is nothing but a socket. */
  raw(id: string): RawPeer {
    const peer = new RawPeer(this.address, id);
    onTestFinished(() => peer.close());
    return peer;
  }
}

export function newClient(address: string, options: ClientOptions = {}): Client {
  const client = new Client(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => client.stop());
  return client;
}

export function ask(client: Client, options: CallOptions = {}): Asked {
  const stream = client.request(SERVICE, "data", { notices: true, ...options });
  return {
    queued: new Promise((resolve) => stream.once("queued", resolve)),
    failure: new Promise((resolve) => stream.once("error", resolve)),
  };
}

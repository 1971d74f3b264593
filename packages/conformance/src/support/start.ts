// A broker in this process, and peers at it. Everything is stopped when the current test has finished, the latest first.

import { Broker, type BrokerEvents, type BrokerOptions, type ListenerOptions, type Listeners } from "@pigato/broker";
import { Client, type ClientOptions } from "@pigato/client";
import { Inbox } from "@pigato/testkit";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { type RequestHandler, Worker, type WorkerOptions } from "@pigato/worker";
import { onTestFinished } from "vitest";

export const LOOPBACK = "tcp://127.0.0.1:*";

type Addresses = string | readonly string[];

/** A broker that has started, and what it reported. */
export interface RunningBroker {
  readonly broker: Broker;
  /** The first of its addresses, with the real port. */
  readonly address: string;
  readonly addresses: readonly string[];
  readonly violations: BrokerEvents["violation"][0][];
  readonly drops: BrokerEvents["drop"][0][];
  readonly rejections: Inbox<BrokerEvents["connection:rejected"][0]>;
}

/** @param where the addresses to bind; a free port of the loopback interface by default */
export async function startBroker(
  options: BrokerOptions = {},
  where: ListenerOptions | Listeners = LOOPBACK,
): Promise<RunningBroker> {
  const broker = new Broker(where, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => broker.stop());
  const violations: RunningBroker["violations"] = [];
  const drops: RunningBroker["drops"] = [];
  const rejections: RunningBroker["rejections"] = new Inbox();
  broker.on("violation", (event) => violations.push(event)).on("drop", (event) => drops.push(event));
  broker.on("connection:rejected", (event) => rejections.add(event));
  await broker.start();
  const { addresses } = broker;
  return { broker, address: addresses[0] ?? "", addresses, violations, drops, rejections };
}

/** A client that is connected. */
export async function startClient(address: Addresses, options: ClientOptions = {}): Promise<Client> {
  const client = newClient(address, options);
  await client.start();
  return client;
}

/** A client that is not started. */
export function newClient(address: Addresses, options: ClientOptions = {}): Client {
  const client = new Client(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => client.stop());
  return client;
}

/** A worker that is registered. */
export async function startWorker(
  address: Addresses,
  service: string,
  handler: RequestHandler,
  options: WorkerOptions = {},
): Promise<Worker> {
  const worker = new Worker(address, service, { stopTimeoutMs: 0, ...options });
  worker.on("request", handler);
  onTestFinished(() => worker.stop());
  await worker.start();
  return worker;
}

/** @param id the routing id; by default one that no other socket of the process has */
export function connectRawPeer(address: string, id?: string): RawPeer {
  const peer = new RawPeer(address, id);
  onTestFinished(() => peer.close());
  return peer;
}

// One broker, a process of clients and a process of workers, each of a chosen library. A case is written once and runs on every
// combination that supports it.

import { Broker } from "@pigato/broker";

import { type Library, LibraryProcess } from "./library-process.ts";
import {
  type Behavior,
  type ClientPeer,
  type PeerConf,
  startClassicBroker,
  startClassicClient,
  startClassicWorker,
  type WorkerPeer,
} from "./peers.ts";

/** The library of the client, of the broker and of the worker. */
export interface Trio {
  readonly client: Library;
  readonly broker: Library;
  readonly worker: Library;
}

/** A heartbeat and a reconnect pause (ms) with which the loss of a peer shows within about a second. */
export const BRISK: PeerConf = { heartbeat: 200, reconnect: 200 };

interface RunningBroker {
  readonly address: string;
  stop(): Promise<void>;
}

export class MixedSystem {
  readonly trio: Trio;
  readonly #conf: PeerConf;
  readonly #clients: LibraryProcess;
  readonly #workers: LibraryProcess;
  readonly #processes: LibraryProcess[];
  #broker: RunningBroker;
  #lastService = 0;

  /** Options in `conf` apply to the broker and are the defaults of the peers. */
  static async open(trio: Trio, conf: PeerConf = {}): Promise<MixedSystem> {
    const [broker, clients, workers] = await Promise.all([
      openBroker(trio.broker, conf),
      LibraryProcess.start(trio.client),
      LibraryProcess.start(trio.worker),
    ]);
    return new MixedSystem({ trio, conf }, broker, [clients, workers]);
  }

  private constructor(
    { trio, conf }: { readonly trio: Trio; readonly conf: PeerConf },
    broker: RunningBroker,
    [clients, workers]: readonly [clients: LibraryProcess, workers: LibraryProcess],
  ) {
    this.trio = trio;
    this.#conf = conf;
    this.#broker = broker;
    this.#clients = clients;
    this.#workers = workers;
    this.#processes = [clients, workers];
  }

  /** A service name that is unique on this system. */
  newService(): string {
    this.#lastService += 1;
    return `service-${this.#lastService}`;
  }

  /** A client that has received a message from the broker. */
  client(conf: PeerConf = {}): Promise<ClientPeer> {
    return startClassicClient(this.#clients, { address: this.#broker.address, conf: { ...this.#conf, ...conf } });
  }

  /** A client in its own process, which a case may kill. */
  async mortalClient(): Promise<ClientPeer> {
    const process = await LibraryProcess.start(this.trio.client);
    this.#processes.push(process);
    const client = await startClassicClient(process, { address: this.#broker.address, conf: this.#conf });
    // The original does not announce its heartbeat interval: the broker learns it from the second heartbeat.
    if (client.library === "classic") await client.until("own heartbeat", 2);
    return client;
  }

  /** A worker that has received a message from the broker. `name` is the behavior of its handler. */
  worker(service: string, behavior: Behavior, conf: PeerConf = {}, name: string = behavior): Promise<WorkerPeer> {
    return this.#startWorker(this.#workers, service, behavior, conf, name);
  }

  /** A worker in its own process, which a case may kill. */
  async mortalWorker(service: string, behavior: Behavior, conf: PeerConf = {}): Promise<WorkerPeer> {
    const process = await LibraryProcess.start(this.trio.worker);
    this.#processes.push(process);
    const worker = await this.#startWorker(process, service, behavior, conf, behavior);
    // The original does not announce its heartbeat interval. Once the broker has measured it, the broker need not assume the
    // default, with which the loss of each worker would take seconds.
    if (worker.library === "classic") await worker.until("heartbeat", 2);
    return worker;
  }

  stopBroker(): Promise<void> {
    return this.#broker.stop();
  }

  /** Starts a new broker without state at the address of the stopped one. */
  async replaceBroker(): Promise<void> {
    this.#broker = await openBroker(this.trio.broker, this.#conf, this.#broker.address);
  }

  async close(): Promise<void> {
    // Stops the peers first, because a broker that stops waits for the requests of connected peers.
    await Promise.all(this.#processes.map((process) => process.kill()));
    await this.#broker.stop();
  }

  #startWorker(
    process: LibraryProcess,
    service: string,
    behavior: Behavior,
    conf: PeerConf,
    name: string,
  ): Promise<WorkerPeer> {
    const { address } = this.#broker;
    return startClassicWorker(process, { address, service, behavior, conf: { ...this.#conf, ...conf }, name });
  }
}

async function openBroker(library: Library, conf: PeerConf, address = "tcp://127.0.0.1:*"): Promise<RunningBroker> {
  if (library === "classic") {
    const broker = await startClassicBroker(conf, address);
    // Killed rather than stopped, so that its port is free at once.
    return { address: await broker.address(), stop: () => broker.process.kill() };
  }
  const broker = new Broker(address, conf.heartbeat === undefined ? {} : { heartbeat: conf.heartbeat });
  await broker.start();
  return { address: broker.addresses[0] ?? address, stop: () => broker.stop() };
}

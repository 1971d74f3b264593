// One broker with a process of clients and a process of workers around it, each of a chosen library. Cases are written
// once against a system and run on every trio that they hold for.

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

/** Whose client, broker and worker meet. */
export interface Trio {
  readonly client: Library;
  readonly broker: Library;
  readonly worker: Library;
}

/** A heartbeat and a reconnect pause (ms) that make the loss of a peer show within about a second. */
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

  /** Options in `conf` hold for the broker and are the defaults of the peers. */
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

  /** A service name that nothing else on this system uses. */
  newService(): string {
    this.#lastService += 1;
    return `service-${this.#lastService}`;
  }

  /** A client that the broker has answered. */
  client(conf: PeerConf = {}): Promise<ClientPeer> {
    return startClassicClient(this.#clients, { address: this.#broker.address, conf: { ...this.#conf, ...conf } });
  }

  /** A client in a process of its own, which may die. */
  async mortalClient(): Promise<ClientPeer> {
    const process = await LibraryProcess.start(this.trio.client);
    this.#processes.push(process);
    const client = await startClassicClient(process, { address: this.#broker.address, conf: this.#conf });
    // The original does not announce its interval: by its second heartbeat it has shown it.
    if (client.library === "classic") await client.until("own heartbeat", 2);
    return client;
  }

  /** A worker that the broker has answered. `name` is what the behavior `name` says. */
  worker(service: string, behavior: Behavior, conf: PeerConf = {}, name: string = behavior): Promise<WorkerPeer> {
    return this.#startWorker(this.#workers, service, behavior, conf, name);
  }

  /** A worker in a process of its own, which may die. */
  async mortalWorker(service: string, behavior: Behavior, conf: PeerConf = {}): Promise<WorkerPeer> {
    const process = await LibraryProcess.start(this.trio.worker);
    this.#processes.push(process);
    const worker = await this.#startWorker(process, service, behavior, conf, behavior);
    // The original does not announce its interval. A broker that has seen it need not assume the default, which would
    // make every death last for seconds.
    if (worker.library === "classic") await worker.until("heartbeat", 2);
    return worker;
  }

  stopBroker(): Promise<void> {
    return this.#broker.stop();
  }

  /** Starts a new broker, which knows nothing, where the stopped one was. */
  async replaceBroker(): Promise<void> {
    this.#broker = await openBroker(this.trio.broker, this.#conf, this.#broker.address);
  }

  async close(): Promise<void> {
    // The peers first: a broker that stops waits for the requests of those that are there.
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
    // Killed rather than stopped: its port is free the moment the process is gone.
    return { address: await broker.address(), stop: () => broker.process.kill() };
  }
  const broker = new Broker(address, conf.heartbeat === undefined ? {} : { heartbeat: conf.heartbeat });
  await broker.start();
  return { address: broker.addresses[0] ?? address, stop: () => broker.stop() };
}

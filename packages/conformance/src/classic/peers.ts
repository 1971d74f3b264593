// The peers that a test controls. Each runs in its own process or shares one. `classic/*.cjs` implements them; this file
// declares the methods that a test may call.

import { fieldOf, type Library, LibraryProcess, listOf } from "./library-process.ts";

export type Behavior =
  | "echo"
  | "name"
  | "list"
  | "count"
  | "rows"
  | "keep"
  | "keep-error"
  | "reject"
  | "error"
  | "error-without-value"
  | "hold"
  | "overlap"
  | "exit";

/** Options of the peers by their classic names, which every library supports. */
export interface PeerConf {
  readonly heartbeat?: number;
  readonly reconnect?: number;
  readonly concurrency?: number;
  readonly timeout?: number;
  readonly retry?: number;
  readonly prefix?: string;
  /** Only in ours: milliseconds that a worker waits for its requests when it stops. */
  readonly stopTimeoutMs?: number;
}

/** Events that a test can await. */
type PeerEvent = "start" | "connect" | "disconnect" | "stop" | WorkerEvent | ClientEvent;
type WorkerEvent = "request" | "held" | "abort" | "heartbeat";
/** The original alone has `own heartbeat`; the others are events of a request that was left open. */
type ClientEvent = "own heartbeat" | "heartbeat" | "queued" | "dispatched" | "error" | "end";

export interface Request {
  readonly service: string;
  readonly data?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The outcome of a request. `error` is `undefined` for success. */
export interface Outcome {
  readonly partials: readonly unknown[];
  readonly final: unknown;
  readonly error: unknown;
  readonly elapsedMs: number;
}

/** The outcome of a request that was sent as a stream. The final reply is the last chunk. */
export interface StreamOutcome {
  readonly chunks: readonly unknown[];
  readonly error: unknown;
}

class Peer {
  readonly process: LibraryProcess;
  readonly #number: number;

  constructor(process: LibraryProcess, number: number) {
    this.process = process;
    this.#number = number;
  }

  /** The library of the peer. */
  get library(): Library {
    return this.process.library;
  }

  start(): Promise<unknown> {
    return this.call("start");
  }

  stop(): Promise<unknown> {
    return this.call("stop");
  }

  /** Resolves with the argument of the last event when `event` has happened `count` times since the peer was created. */
  until(event: PeerEvent, count = 1): Promise<unknown> {
    return this.call("until", { event, count });
  }

  protected call(method: string, argument: object = {}): Promise<unknown> {
    return this.process.call(this.#number, method, argument);
  }
}

export class WorkerPeer extends Peer {
  async id(): Promise<string> {
    return String(await this.call("id"));
  }

  /** Changes options of the running worker. */
  configure(conf: PeerConf): Promise<unknown> {
    return this.call("configure", conf);
  }

  /** Makes a worker that holds its requests reply to the oldest `count` of them. */
  release(count = 1): Promise<unknown> {
    return this.call("release", { count });
  }

  /** The result of `active()` for each reply so far, oldest first. */
  async active(): Promise<unknown[]> {
    return listOf(await this.call("active"));
  }

  /** Makes the handler of every request so far send a heartbeat. */
  heartbeat(): Promise<unknown> {
    return this.call("heartbeat");
  }

  /** The data of every request so far, in order. */
  async received(): Promise<unknown[]> {
    const report = await this.call("report");
    return listOf(fieldOf(report, "received")).map((request) => fieldOf(request, "data"));
  }

  async held(): Promise<number> {
    return Number(fieldOf(await this.call("report"), "held"));
  }

  async mostInFlight(): Promise<number> {
    return Number(fieldOf(await this.call("report"), "mostInFlight"));
  }
}

export class ClientPeer extends Peer {
  async request(service: string, data?: unknown, options: Request["options"] = {}): Promise<Outcome> {
    return outcomeOf(await this.call("request", { service, data, options }));
  }

  /** Sends all requests in one turn of the event loop. The outcomes have the order of the requests. */
  async requestAll(requests: readonly Request[]): Promise<Outcome[]> {
    return listOf(await this.call("requestAll", { requests })).map(outcomeOf);
  }

  async stream(service: string, data?: unknown, options: Request["options"] = {}): Promise<StreamOutcome> {
    const outcome = await this.call("stream", { service, data, options });
    return { chunks: listOf(fieldOf(outcome, "chunks")), error: fieldOf(outcome, "error") };
  }

  /** Makes a request and leaves it open. */
  open(service: string, data?: unknown, options: Request["options"] = {}): Promise<unknown> {
    return this.call("open", { service, data, options });
  }

  /** Sends a heartbeat for each request that was left open. */
  keepAlive(): Promise<unknown> {
    return this.call("keepAlive");
  }

  /** The arguments of its `error` events so far. */
  async errors(): Promise<unknown[]> {
    return listOf(fieldOf(await this.call("report"), "errors"));
  }
}

export class BrokerPeer extends Peer {
  async address(): Promise<string> {
    return String(await this.call("address"));
  }
}

export interface WorkerSettings {
  readonly address: string;
  readonly service: string;
  readonly behavior: Behavior;
  readonly conf?: PeerConf;
  /** The replies of the behavior `name`. */
  readonly name?: string;
}

export interface ClientSettings {
  readonly address: string;
  readonly conf?: PeerConf;
}

/** A worker that has received a message from the broker. */
export async function startClassicWorker(process: LibraryProcess, settings: WorkerSettings): Promise<WorkerPeer> {
  const worker = new WorkerPeer(process, await process.create("worker", settings));
  await worker.start();
  await worker.until("connect");
  return worker;
}

/** A client that has received a message from the broker. */
export async function startClassicClient(process: LibraryProcess, settings: ClientSettings): Promise<ClientPeer> {
  const client = new ClientPeer(process, await process.create("client", settings));
  await client.start();
  await client.until("connect");
  return client;
}

/** The original's broker, on a free loopback port unless `address` says otherwise. */
export async function startClassicBroker(conf: PeerConf = {}, address = "tcp://127.0.0.1:*"): Promise<BrokerPeer> {
  const process = await LibraryProcess.start("classic");
  const broker = new BrokerPeer(process, await process.create("broker", { address, conf }));
  await broker.start();
  return broker;
}

/** The original's directory, started. It does not report when it is ready. */
export async function startClassicDirectory(process: LibraryProcess, address: string, intch: string): Promise<Peer> {
  const directory = new Peer(process, await process.create("directory", { address, conf: { intch } }));
  await directory.start();
  return directory;
}

function outcomeOf(value: unknown): Outcome {
  return {
    partials: listOf(fieldOf(value, "partials")),
    final: fieldOf(value, "final"),
    error: fieldOf(value, "error"),
    elapsedMs: Number(fieldOf(value, "elapsedMs")),
  };
}

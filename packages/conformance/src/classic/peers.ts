// The peers that a test talks to, each living in a process of its own or sharing one. What they do is behind
// `classic/*.cjs`; here is only what a test may ask of them.

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

/** Options of the peers by their classic names: every library under test takes them. */
export interface PeerConf {
  readonly heartbeat?: number;
  readonly reconnect?: number;
  readonly concurrency?: number;
  readonly timeout?: number;
  readonly retry?: number;
  readonly prefix?: string;
  /** Ours alone: milliseconds that a worker which stops waits for its requests. */
  readonly stopTimeoutMs?: number;
}

/** Events that a test can wait for. */
type PeerEvent = "start" | "connect" | "disconnect" | "stop" | WorkerEvent | ClientEvent;
type WorkerEvent = "request" | "held" | "abort" | "heartbeat";
/** `own heartbeat` is the original's alone; the others are those of a request that was left open. */
type ClientEvent = "own heartbeat" | "heartbeat" | "queued" | "dispatched" | "error" | "end";

export interface Request {
  readonly service: string;
  readonly data?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** How a request ended: `error` is `undefined` for success. */
export interface Outcome {
  readonly partials: readonly unknown[];
  readonly final: unknown;
  readonly error: unknown;
  readonly elapsedMs: number;
}

/** The same of a request sent as a stream; the final reply is the last chunk. */
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

  /** Whose peer it is. */
  get library(): Library {
    return this.process.library;
  }

  start(): Promise<unknown> {
    return this.call("start");
  }

  stop(): Promise<unknown> {
    return this.call("stop");
  }

  /** Resolves when `event` has happened `count` times since the peer was made, to what it said the last time. */
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

  /** Lets a worker that holds its requests answer the oldest `count` of them. */
  release(count = 1): Promise<unknown> {
    return this.call("release", { count });
  }

  /** Whether each reply so far is still wanted, as its `active()` says, oldest first. */
  async active(): Promise<unknown[]> {
    return listOf(await this.call("active"));
  }

  /** Has the handler of every request so far say that it still works. */
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

  /** Sends all in one turn; the outcomes have the order of the requests. */
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

  /** What its `error` event said so far. */
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
  /** What the behavior `name` answers. */
  readonly name?: string;
}

export interface ClientSettings {
  readonly address: string;
  readonly conf?: PeerConf;
}

/** A worker that the broker has answered. */
export async function startClassicWorker(process: LibraryProcess, settings: WorkerSettings): Promise<WorkerPeer> {
  const worker = new WorkerPeer(process, await process.create("worker", settings));
  await worker.start();
  await worker.until("connect");
  return worker;
}

/** A client that the broker has answered. */
export async function startClassicClient(process: LibraryProcess, settings: ClientSettings): Promise<ClientPeer> {
  const client = new ClientPeer(process, await process.create("client", settings));
  await client.start();
  await client.until("connect");
  return client;
}

/** The original's broker, on a free port of the loopback unless `address` says otherwise. */
export async function startClassicBroker(conf: PeerConf = {}, address = "tcp://127.0.0.1:*"): Promise<BrokerPeer> {
  const process = await LibraryProcess.start("classic");
  const broker = new BrokerPeer(process, await process.create("broker", { address, conf }));
  await broker.start();
  return broker;
}

/** The original's directory. It was started; it does not report when it serves. */
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

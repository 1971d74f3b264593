// The API of Picom 0.3 on a client and a worker: an instance exposes methods under its name, and calls those of other instances.

import { type CallOptions, Client, type ReplyStream, RequestError, type RequestInputSource } from "@pigato/client";
import { warningsOf } from "@pigato/peer";
import { retry } from "@pigato/policies";
import { UsageError } from "@pigato/protocol";
import { type Reply, Worker } from "@pigato/worker";
import { LocalBroker } from "./local-broker.ts";
import { type PicomOptions, resolveOptions } from "./options.ts";

/** The values that the caller streams, at the pace at which the method reads them; it ends at once if the caller sends none. */
export type InStream = Reply["input"];
/** Where a method writes its reply: any values, the last one with `end(value)`. A stream can be piped into it. */
export type OutStream = Reply;

/** An exposed method. It must end `outStream`, or pipe into it. An exception becomes the caller's error. */
export type PicomMethod = (args: unknown, inStream: InStream, outStream: OutStream) => unknown;

/** Which method to call. */
export interface PicomTarget {
  /** The name of the instance. */
  readonly service: string;
  /** The method. */
  readonly cmd: string;
}

export interface FetchTarget extends PicomTarget {
  /** Whether to return all chunks as an array. @defaultValue false: the last value */
  readonly multiple?: boolean | undefined;
}

/** A readable stream of the values of a reply. */
export type PicomStream = ReplyStream & { stream(): PicomStream };

/** A failure of a request, as the original words it: `[service] message`. */
export class PicomError extends Error {
  override readonly name = "PicomError";
  /** `WORKER_FAILED` for an error of the method, or another code of `RequestError`. */
  readonly code: string;

  constructor(service: string, cause: RequestError) {
    super(`[${service}] ${cause.message}`, { cause });
    this.code = cause.code;
  }
}

/** Heartbeats in the time after which a silent instance counts as failing. */
const HEARTBEATS_PER_TTL = 3;
const MESSAGE_PACK = "msgpack";

export class Picom implements AsyncDisposable {
  /** The service that it exposes. */
  readonly name: string;
  readonly #local: LocalBroker | undefined;
  readonly #client: Client;
  readonly #worker: Worker;
  readonly #methods = new Map<string, PicomMethod>();

  /**
   * Creates an instance. It connects with its first `expose()`, `stream()` or `fetch()`.
   * @throws UsageError for an invalid name or option
   */
  constructor(name: string, options: PicomOptions = {}) {
    const { port, broker, retries, ttl } = resolveOptions(options);
    this.name = name;
    const warnings = warningsOf(options.logger);
    this.#local = broker === undefined ? new LocalBroker(port, (error) => warnings.onUnheard(error)) : undefined;
    const address = this.#local?.address ?? broker ?? "";
    const shared = {
      ...(options.logger !== undefined && { logger: options.logger }),
      onConnect: () => this.#local?.onConnected(),
      onDisconnect: () => this.#local?.takeOver(),
    };
    const heartbeat = Math.round((ttl * 1_000) / HEARTBEATS_PER_TTL);
    this.#worker = new Worker(address, name, {
      ...shared,
      heartbeat,
      heartbeatLiveness: HEARTBEATS_PER_TTL,
      methods: true,
    });
    this.#worker.on("request", (args, reply, { method }) => this.#run(String(method), args, reply));
    this.#client = new Client(address, shared);
    if (retries > 0) this.#client.use(retry({ attempts: retries + 1 }));
  }

  /**
   * Exposes an object's own functions, and starts to serve them. Further calls add methods.
   * @returns a promise that resolves when a broker has accepted the service. It need not be awaited.
   * @throws UsageError for anything but an object, and for one without functions
   */
  expose(methods: Readonly<Record<string, PicomMethod>>): Promise<void> {
    const functions = typeof methods === "object" && methods !== null ? Object.entries(methods).filter(isMethod) : [];
    if (functions.length === 0) throw new UsageError("expose() needs an object with at least one function");
    for (const [name, method] of functions) this.#methods.set(name, method);
    this.#local?.takeOver();
    return this.#worker.start();
  }

  /**
   * Calls a method.
   * @param input a stream, or another source of values, that becomes its `inStream`
   * @returns a readable stream of all values of its reply. It emits `error` with a `RequestError` if the request fails.
   * @throws UsageError for arguments that cannot be sent
   */
  stream(target: PicomTarget, args?: unknown, input?: RequestInputSource): PicomStream {
    const { service, cmd } = this.#connected(target);
    const stream = this.#client.requestStream(service, args, optionsOf(cmd, input));
    const result: PicomStream = Object.assign(stream, { stream: () => result });
    return result;
  }

  /**
   * Calls a method.
   * @param input as of `stream()`
   * @returns a promise of the last value of its reply, or with `multiple` of an array of all values. It rejects with a `PicomError`.
   */
  async fetch(target: FetchTarget, args?: unknown, input?: RequestInputSource): Promise<unknown> {
    const { service, cmd } = this.#connected(target);
    const options = optionsOf(cmd, input);
    try {
      if (target.multiple) return await this.#client.collect(service, args, options);
      return await this.#client.call(service, args, options);
    } catch (error) {
      throw error instanceof RequestError ? new PicomError(service, error) : error;
    }
  }

  /** Accepts no new requests, finishes open ones, and disconnects. Ends the host's broker if this instance runs it. */
  async end(): Promise<void> {
    await this.#worker.stop();
    await this.#client.stop();
    await this.#local?.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  #connected(target: PicomTarget): PicomTarget {
    const { service, cmd } = Object(target);
    if (typeof service !== "string" || typeof cmd !== "string") {
      throw new UsageError("cannot call a method: the target must be { service, cmd }, both text");
    }
    this.#local?.takeOver();
    void this.#client.start();
    return { service, cmd };
  }

  #run(name: string, args: unknown, reply: Reply): unknown {
    const method = this.#methods.get(name);
    if (method !== undefined) return method(args, reply.input, reply);
    const message = `service "${this.name}" has no method "${name}": it has ${[...this.#methods.keys()].join(", ")}`;
    return reply.error({ name: "Error", message, code: "UNIMPLEMENTED" });
  }
}

function optionsOf(method: string, input: RequestInputSource | undefined): CallOptions {
  return { method, codec: MESSAGE_PACK, ...(input !== undefined && { input }) };
}

function isMethod(entry: readonly [string, unknown]): entry is [string, PicomMethod] {
  return typeof entry[1] === "function";
}

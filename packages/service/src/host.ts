// The public host: it takes contracts with their handlers, and functions, and serves them at a broker.

import type { Contract, HandlerInput, HandlerOutput, Interceptor, Method, Methods } from "@pigato/contract";
import { nameOf } from "@pigato/contract";
import { guarded, type LossReason, resolveAddresses } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { queueMicrotask } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { Connections } from "./connections.ts";
import type { Context } from "./context.ts";
import { type AnyFunction, exposedFunctions } from "./exposed-functions.ts";
import { HostInterceptors, type ServeOptions } from "./host-interceptors.ts";
import { HostedService } from "./hosted-service.ts";
import type { HostFacts } from "./introspection.ts";
import { MethodRunner } from "./method-runner.ts";
import { NestedClient } from "./nested-client.ts";
import { type HostOptions, type HostSettings, resolveOptions } from "./options.ts";
import { checkNoRange } from "./service-names.ts";

/** What the handler of a method takes and returns. */
export type Handler<Of extends Method> = Of extends { readonly kind: "unary" }
  ? (input: HandlerInput<Of>, ctx: Context<Of>) => HandlerOutput<Of> | Promise<HandlerOutput<Of>>
  : Of extends { readonly kind: "serverStream" }
    ? (input: HandlerInput<Of>, ctx: Context<Of>) => AsyncIterable<HandlerOutput<Of>>
    : Of extends { readonly kind: "clientStream" }
      ? (chunks: AsyncIterable<HandlerInput<Of>>, ctx: Context<Of>) => HandlerOutput<Of> | Promise<HandlerOutput<Of>>
      : Of extends { readonly kind: "duplex" }
        ? (chunks: AsyncIterable<HandlerInput<Of>>, ctx: Context<Of>) => AsyncIterable<HandlerOutput<Of>>
        : never;

/** A handler for each method of a contract. */
export type Handlers<Of extends Methods> = { readonly [Name in keyof Of & string]: Handler<Of[Name]> };

/** The events of a host. They are notifications: a listener is never required. */
export interface HostEvents {
  /** `start()` was called. The host may not be connected yet. */
  start(): void;
  /** The host has stopped: after `stop()`, or because the only broker refused it at the start. */
  stop(): void;
  /** A broker has accepted all services of the host, on one connection or several. */
  connect(): void;
  /** A connection was lost: the first one since `connect`. The host reconnects unless it was stopped. */
  disconnect(reason: LossReason): void;
  /** A connection failed, or the broker violated the protocol or refused a service. The host continues, without a refused service. */
  error(error: Error): void;
}

/**
 * Serves methods at a broker. A handler's return value is the reply, and its exception the caller's error. Methods of contracts have
 * types and may be validated; `register` serves functions as they are.
 */
export class Host extends EventEmitter<HostEvents> implements AsyncDisposable {
  readonly #settings: HostSettings;
  readonly #connections: Connections;
  readonly #services = new Map<string, HostedService>();
  readonly #facts: HostFacts = {
    idOf: (service) => this.#connections.idOf(service),
    uptimeMs: () => this.#settings.worker.clock.now() - this.#startedAt,
  };
  readonly #interceptors = new HostInterceptors();
  readonly #nested: NestedClient;
  #isStarted = false;
  #startedAt: Instant = 0;
  /** Counts the starts, so that a stop does not end a later one. */
  #starts = 0;

  /**
   * @param address of a broker, e.g. `tcp://localhost:55555`, or several addresses that are tried in turn
   * @throws UsageError for an invalid address or option
   */
  constructor(address: string | readonly string[], options?: HostOptions) {
    super();
    this.#settings = resolveOptions(options);
    const { worker } = this.#settings;
    this.#nested = new NestedClient(address, options ?? {});
    const runner = new MethodRunner(this.#settings, {
      interceptors: this.#interceptors,
      context: {
        logger: worker.logger,
        inheritHeaders: this.#settings.inheritHeaders,
        client: () => this.#nested.get(),
      },
    });
    this.#connections = new Connections(resolveAddresses(address, worker.security), worker, {
      request: (service, request, readData, reply) => runner.run(service, request, readData, reply),
      connect: () => this.emit("connect"),
      disconnect: (reason) => this.emit("disconnect", reason),
      error: (error) => this.#onError(error),
    });
    const { onStart, onStop, onConnect, onDisconnect } = worker;
    if (onStart) this.on("start", onStart);
    if (onStop) this.on("stop", onStop);
    if (onConnect) this.on("connect", onConnect);
    if (onDisconnect) this.on("disconnect", onDisconnect);
  }

  /**
   * Adds an interceptor around every later request. The first one added is the outermost.
   * @throws UsageError for anything but a function
   */
  use(interceptor: Interceptor): this {
    this.#interceptors.use(interceptor);
    return this;
  }

  /**
   * Serves the methods of a contract, also after `start()`: then `error` says if the broker does not take the service.
   * @param handlers a function for each method of the contract: an object, or an instance of a class
   * @throws UsageError for a handler that is missing or that the contract does not have, and for a service whose name is a range
   */
  serve<Of extends Methods>(
    contract: Contract<Of>,
    handlers: Handlers<Of>,
    options?: ServeOptions<keyof Of & string>,
  ): this;
  serve(contract: Contract, handlers: object, options: ServeOptions = {}): this {
    const service = this.#service(nameOf(contract));
    // Checked first: a method must not be served without its interceptors.
    const chains = this.#interceptors.chainsOf(contract, options);
    service.addContract(contract, handlers);
    this.#interceptors.add(chains);
    return this.#offer(service);
  }

  /**
   * Serves an object's own functions and the methods of its class, or one function. Names that start with `_` or `$`, `then`, and members of
   * `Object.prototype` are not served. Callers pass positional arguments.
   * @param name the service
   * @param alias the name of the function; by default its own
   * @throws UsageError for a name that is taken or not possible, and if there is nothing to serve
   */
  register(name: string, what: object | AnyFunction, alias?: string): this {
    const functions = exposedFunctions(what, alias);
    const service = this.#service(name);
    service.addFunctions(functions, typeof what === "function" ? undefined : what);
    return this.#offer(service);
  }

  /**
   * Connects and offers all services, and reconnects whenever the broker is lost. Safe to call twice.
   * @returns a promise that resolves when a broker has accepted all services. It rejects as that of a worker does; the host has
   *   stopped then. It need not be awaited.
   */
  start(): Promise<void> {
    if (this.#services.size === 0)
      throw new UsageError("a host without services cannot start: call serve() or register()");
    const starting = this.#start();
    starting.catch(() => {});
    return starting;
  }

  /**
   * Accepts no new requests, waits at most `stopTimeoutMs` for running ones, and disconnects. Safe to call twice; `start()` works again
   * afterwards.
   */
  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    const starts = this.#starts;
    await this.#connections.stop();
    await this.#nested.stop();
    if (!this.#isStarted || this.#starts !== starts) return;
    this.#isStarted = false;
    guarded(() => this.emit("stop"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    if (!this.#isStarted) {
      this.#startedAt = this.#settings.worker.clock.now();
      queueMicrotask(() => this.emit("start"));
    }
    this.#isStarted = true;
    this.#starts += 1;
    try {
      await this.#connections.start();
    } catch (error) {
      // One service was refused, or `stop()` was called.
      await this.stop();
      throw error;
    }
  }

  #service(name: string): HostedService {
    checkNoRange(name);
    return this.#services.get(name) ?? new HostedService(name, this.#facts);
  }

  /** Offers a service that has its methods, unless the host offers it already. */
  #offer(service: HostedService): this {
    if (this.#services.has(service.name)) return this;
    this.#connections.add(service);
    this.#services.set(service.name, service);
    return this;
  }

  #onError(error: Error): void {
    const { logger, warnings } = this.#settings.worker;
    if (this.listenerCount("error") === 0) return warnings.onUnheard(error);
    guarded(() => logger.error({ err: error }, error.message));
    this.emit("error", error);
  }
}

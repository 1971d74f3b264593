// The public client. It turns arguments into messages, and provides replies as streams, callbacks and promises. The session
// decides what happens to a request.

import type { Contract, Interceptor, Methods, RetryPolicy, ServiceDescription } from "@pigato/contract";
import { invalidValue, isBlob, type PeerEvents, readService, resolveAddresses } from "@pigato/peer";
import { display, type RequestError, type RequestId, type Violation } from "@pigato/protocol";
import { requestIdFromText } from "@pigato/protocol/internal";
import type { LinkError } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { Broadcast, type BroadcastOptions, rejectUnknownBroadcastOptions } from "./broadcast.ts";
import {
  CallbackCaller,
  type Caller,
  CollectCaller,
  FinalCaller,
  type OpenRequest,
  type ReplyCallback,
  ReplyStream,
  StreamCaller,
} from "./call.ts";
import type { CallOptions } from "./call-options.ts";
import { Driver } from "./driver.ts";
import type { RequestInputSource } from "./input-source.ts";
import { Interception } from "./interception.ts";
import type { Api, FunctionOptions, MethodOptions, Remote } from "./methods/api.ts";
import { type DescribeOptions, describeService } from "./methods/describe.ts";
import { methodsOf } from "./methods/method-calls.ts";
import { remoteFunctions } from "./methods/remote-functions.ts";
import { type ClientOptions, type ClientSettings, resolveOptions } from "./options.ts";
import { MetadataCaller, type ReplyMetadata } from "./reply-metadata.ts";
import { Requester } from "./requester.ts";
import { type CallScope, ScopedClient, type ScopePort } from "./scoped-client.ts";

export interface ClientEvents extends PeerEvents {}

/**
 * Sends requests to services and returns their replies. Requests may be made at any time: before a broker is connected they
 * wait, within bounds; after `stop()` they fail with `CLOSED`.
 */
export class Client extends EventEmitter<ClientEvents> {
  readonly #driver: Driver;
  readonly #settings: ClientSettings;
  readonly #requester: Requester;
  readonly #scopePort: ScopePort;
  /** `undefined` without interceptors, so that a request costs no more. */
  #interception: Interception | undefined;
  /** The same, with the policy of a request. */
  #retrying = new WeakMap<RetryPolicy, Interception>();

  /**
   * @param address of a broker, e.g. `tcp://localhost:55555`, or several addresses that are tried in turn
   * @throws UsageError for an invalid address or option
   */
  constructor(address: string | readonly string[], options?: ClientOptions) {
    super();
    this.#settings = resolveOptions(options);
    const addresses = resolveAddresses(address, this.#settings.security);
    this.#driver = new Driver(addresses, this.#settings, {
      start: () => this.emit("start"),
      stop: () => this.emit("stop"),
      connecting: () => this.emit("connecting"),
      connect: () => this.emit("connect"),
      disconnect: (reason) => this.emit("disconnect", reason),
      error: (error) => this.#onError(error),
      late: (id) => this.#onLate(id),
    });
    this.#requester = new Requester(this.#settings, this.#driver);
    this.#scopePort = this.#newScopePort();
    const { onStart, onStop, onConnect, onDisconnect, autostart } = this.#settings;
    if (onStart) this.on("start", onStart);
    if (onStop) this.on("stop", onStop);
    if (onConnect) this.on("connect", onConnect);
    if (onDisconnect) this.on("disconnect", onDisconnect);
    if (autostart) void this.start();
  }

  /** The id under which the broker knows this client. Each connection has a new one. Empty before the first connection. */
  get socketId(): string {
    const { address, socketId } = this.#driver.runtime.link;
    return address === undefined ? "" : socketId;
  }

  /**
   * Connects, and keeps trying until a broker answers. Calling it again has no further effect.
   * @param callback called as the promise settles, with the error if it rejects
   * @returns a promise that resolves when a broker has answered, however long that takes. It rejects with a `RequestError` of
   *   the code `CLOSED` if `stop()` comes first, and with a `LinkError` for an address that the transport cannot use and, of the
   *   code `REFUSED`, if the only broker rejects the client, which has stopped then. It need not be awaited.
   */
  start(callback?: (error?: RequestError | LinkError) => void): Promise<void> {
    if (callback !== undefined && typeof callback !== "function") {
      throw invalidValue("the callback of start()", "a function", callback);
    }
    this.#requester.onStart();
    const started = this.#driver.runtime.lifecycle.start();
    if (callback !== undefined) void started.then(() => callback(), callback);
    return started;
  }

  /**
   * Accepts no new requests, waits at most `stopTimeoutMs` for open ones, fails the rest with `CLOSED`, and closes. Safe to
   * call twice; `start()` works again afterwards.
   */
  stop(): Promise<void> {
    return this.#driver.runtime.lifecycle.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Adds an interceptor around every later request but those of `open()`. The first one added is the outermost.
   * @throws UsageError for anything but a function
   */
  use(interceptor: Interceptor): this {
    const interceptors = [...this.#requester.interceptors, interceptor];
    this.#interception = this.#around(interceptors);
    this.#retrying = new WeakMap();
    this.#requester.interceptors = interceptors;
    return this;
  }

  #around(interceptors: readonly Interceptor[]): Interception {
    const requester = this.#requester;
    return new Interception(interceptors, {
      clock: this.#settings.clock,
      signals: requester.signals,
      timeoutOf: (service, options) => {
        readService(service);
        return this.#settings.speaker.resolveCallOptions(options, this.#settings).options.timeoutMs;
      },
      onLeftOut: requester.onLeftOut,
      submit: (service, data, caller, options) => requester.submit(requester.prepare(service, data, options), caller),
      stream: (service, data, options, metadata) => this.#stream(service, data, options, metadata),
    });
  }

  /** The interceptors around a request. Its policy is the innermost one. */
  #interceptionOf(options: CallOptions | undefined): Interception | undefined {
    const policy = options?.retry;
    if (typeof policy !== "object" || policy === null) return this.#interception;
    let interception = this.#retrying.get(policy);
    if (interception === undefined) {
      interception = this.#around([...this.#requester.interceptors, this.#requester.retrying(policy)]);
      this.#retrying.set(policy, interception);
    }
    return interception;
  }

  /**
   * Makes a request.
   * @param data any value that the codec of the request carries, by default JSON
   * @param onPartial called with each partial value; there is no callback for the end
   * @throws UsageError for invalid arguments
   */
  request<Value = unknown>(service: string, data: unknown, onPartial: ReplyCallback<Value>): void;
  /**
   * Makes a request.
   * @param data any value that the codec of the request carries, by default JSON
   * @param onPartial called with each partial value
   * @param onFinal called once, with the final value or with the error
   * @throws UsageError for invalid arguments
   */
  request<Value = unknown>(
    service: string,
    data: unknown,
    onPartial: ReplyCallback<Value> | undefined,
    onFinal: ReplyCallback<Value> | undefined,
    options?: CallOptions,
  ): void;
  /**
   * Makes a request.
   * @param data any value that the codec of the request carries, by default JSON
   * @returns the replies as a stream
   * @throws UsageError for invalid arguments
   */
  request<Value = unknown>(service: string, data?: unknown, options?: CallOptions): ReplyStream<Value>;
  request(service: string, data?: unknown, ...rest: readonly unknown[]): ReplyStream | undefined {
    const [third, fourth, fifth] = rest;
    if (rest.length < 2 && typeof third !== "function") {
      return this.requestStream(service, data, readOptions(third));
    }
    const caller = new CallbackCaller(readCallback("partial", third), readCallback("final", fourth));
    const options = readOptions(fifth);
    const requester = this.#requester;
    const interception = this.#interceptionOf(options);
    if (interception !== undefined) interception.callBack(service, data, caller, options);
    else requester.submit(requester.prepare(service, data, options), requester.inContext(caller));
    return undefined;
  }

  /** As `request()`, always with a stream. */
  requestStream<Value = unknown>(service: string, data?: unknown, options?: CallOptions): ReplyStream<Value>;
  requestStream(service: string, data?: unknown, options?: CallOptions): ReplyStream {
    const interception = this.#interceptionOf(options);
    if (interception !== undefined) return interception.stream(service, data, options);
    return this.#stream(service, data, options);
  }

  #stream(service: string, data: unknown, options?: CallOptions, metadata?: ReplyMetadata): ReplyStream {
    const requester = this.#requester;
    const prepared = requester.prepare(service, data, options);
    const stream = new ReplyStream(prepared.message.requestId, requester.control);
    const caller = new StreamCaller(stream);
    const reading = metadata === undefined ? caller : new MetadataCaller(caller, metadata);
    requester.submit(prepared, requester.inContext(reading), true);
    return stream;
  }

  /**
   * Resolves to the final value of the reply. If the reply ends with `null`, as one without a final value does, to its last chunk; use
   * `collect` for all of them. Rejects with a `RequestError`, or a `UsageError` for misuse.
   */
  call<Value = unknown>(service: string, data?: unknown, options?: CallOptions): Promise<Value>;
  call(service: string, data?: unknown, options?: CallOptions): Promise<unknown> {
    if (isRawBlob(data, options)) return data.arrayBuffer().then((bytes) => this.call(service, bytes, options));
    const interception = this.#interceptionOf(options);
    if (interception !== undefined) return interception.call(service, data, options);
    const requester = this.#requester;
    return new Promise((resolve) => {
      requester.submit(requester.prepare(service, data, options), new FinalCaller(resolve, service, requester));
    });
  }

  /**
   * Streams chunks to a service, and resolves to the final value of the reply. Rejects as `call()` does, and with the code `CANCELED` if the
   * source fails.
   * @param source the option `input`: an iterable, a stream, a Blob, bytes, or a function that returns one
   */
  upload<Value = unknown>(service: string, source: RequestInputSource, options?: CallOptions): Promise<Value>;
  upload(service: string, source: RequestInputSource, options: CallOptions = {}): Promise<unknown> {
    return this.call(service, null, { ...options, input: source });
  }

  /**
   * Resolves to every chunk of the reply in order. A final of `null` or `undefined` adds no chunk. Rejects with a
   * `RequestError`, or a `UsageError` for misuse.
   */
  collect<Value = unknown>(service: string, data?: unknown, options?: CallOptions): Promise<Value[]>;
  collect(service: string, data?: unknown, options?: CallOptions): Promise<unknown[]> {
    if (isRawBlob(data, options)) return data.arrayBuffer().then((bytes) => this.collect(service, bytes, options));
    const interception = this.#interceptionOf(options);
    if (interception !== undefined) return interception.collect(service, data, options);
    const requester = this.#requester;
    return new Promise((resolve) => {
      requester.submit(requester.prepare(service, data, options), new CollectCaller(resolve));
    });
  }

  /**
   * The methods of a contract, with their types. A failure that the contract declares is a `MethodError`.
   * @param options of every call; a call may replace them
   * @throws UsageError for an invalid option
   */
  of<Of extends Methods, const Options extends MethodOptions<keyof Of & string> = MethodOptions<keyof Of & string>>(
    contract: Contract<Of>,
    options?: Options,
  ): Api<Of, Options extends { readonly validate: true } ? true : false> {
    return methodsOf(contract, options ?? {}, this.#requester);
  }

  /**
   * The functions that a host registered, or that a butler service has, called by their names with positional arguments.
   * @typeParam Functions the registered object
   * @throws UsageError for an invalid service or option
   */
  rpc<Functions = Record<string, (...args: readonly unknown[]) => unknown>>(
    service: string,
    options: FunctionOptions = {},
  ): Remote<Functions> {
    return remoteFunctions(service, options, this.#requester);
  }

  /**
   * The methods of a service with their JSON Schemas, as one of its hosts describes them; `workerId` selects the host. To ask all hosts, or
   * for `$stats` and `$ping`, use `broadcast` or `call` with the option `method`.
   * @param service a name without a version stands for its highest version, where no worker offers the name itself
   * @returns a promise that rejects with a `UsageError` if the service is not that of a host
   */
  describe(service: string, options: DescribeOptions = {}): Promise<ServiceDescription> {
    const isPigato = this.#settings.dialect === "pigato";
    return describeService(service, options, { call: (name, data, how) => this.call(name, data, how), isPigato });
  }

  /**
   * This client for requests that belong together, such as those that a handler makes for one request of its own.
   * @param scope what they share: a signal that cancels them, their latest deadline, and headers
   */
  scoped(scope: CallScope): ScopedClient {
    return new ScopedClient(this.#scopePort, scope);
  }

  /**
   * Sends the same request to every worker of a service that the directory (`$dir`) lists. Partials are left out.
   * @returns the results in the order of the replies, one for each worker; its method `all()` returns all of them
   * @throws UsageError for invalid arguments
   */
  broadcast<Value = unknown>(service: string, data?: unknown, options: BroadcastOptions = {}): Broadcast<Value> {
    readService(service);
    this.#settings.speaker.checkMethod("broadcast()");
    rejectUnknownBroadcastOptions(options);
    const { concurrency: _concurrency, maxWorkers: _maxWorkers, ...callOptions } = options;
    this.#settings.speaker.resolveCallOptions(callOptions, this.#settings);
    const { signal } = callOptions;
    const shared = signal === undefined ? undefined : this.#requester.signals.of(signal);
    return new Broadcast(
      <Answer>(to: string, what: unknown, how: CallOptions) => this.call<Answer>(to, what, how),
      { service, data, signal: shared },
      options,
    );
  }

  /**
   * Sends a request whose replies go to `caller`. Calls none of its methods before this method has returned.
   * @throws UsageError for invalid arguments
   */
  open(service: string, data: unknown, caller: Caller, options?: CallOptions): OpenRequest {
    const { control } = this.#requester;
    const prepared = this.#requester.prepare(service, data, options);
    const { requestId } = prepared.message;
    this.#requester.submit(prepared, this.#requester.inContext(caller));
    return {
      requestId,
      cancel: (reason) => control.cancel(requestId, reason),
      heartbeat: () => control.heartbeat(requestId),
    };
  }

  /**
   * Sends a heartbeat now.
   * @param request the id of a request, of this client or of another, whose caller still waits
   * @throws UsageError in a dialect without client heartbeats
   */
  heartbeat(request?: string): void {
    this.#settings.speaker.checkMethod("heartbeat()");
    const id = request === undefined ? undefined : requestIdFromText(request);
    this.#driver.apply({ type: "heartbeat", requestId: id });
  }

  #newScopePort(): ScopePort {
    const kept = new WeakMap<Contract, object>();
    return {
      call: (service, data, options) => this.call(service, data, options),
      collect: (service, data, options) => this.collect(service, data, options),
      requestStream: (service, data, options) => this.requestStream(service, data, options),
      rpc: (service, options) => this.rpc(service, options),
      methodsOf: (contract, options) => {
        if (options !== undefined) return methodsOf(contract, options, this.#requester);
        const methods = kept.get(contract) ?? methodsOf(contract, {}, this.#requester);
        kept.set(contract, methods);
        return methods;
      },
    };
  }

  #onError(error: Error): void {
    if (!this.emit("error", error)) this.#settings.warnings.onUnheard(error);
  }

  /**
   * A late reply to an ended request is normal. With a `clientId`, a reply may also belong to an earlier client with that id.
   * Any other reply is a fault of the broker.
   */
  #onLate(id: RequestId): void {
    if (this.#requester.hasMade(id)) return;
    const { clientId } = this.#settings;
    if (clientId !== undefined) {
      const message = `dropped a reply to the request ${display(id)}, which an earlier client with the id "${clientId}" made`;
      return this.#onError(new Error(message));
    }
    const detail = `a reply to the request ${display(id)}, which this client never made`;
    const cause: Violation = { type: "violation", clause: "P-RID-2", detail, requestId: id };
    this.#onError(new Error(`the broker violated ${cause.clause}: ${detail}`, { cause }));
  }
}

function readCallback(name: string, value: unknown): ReplyCallback | undefined {
  if (value === undefined || isCallback(value)) return value;
  throw invalidValue(`the ${name} callback`, "a function", value);
}

function isCallback(value: unknown): value is ReplyCallback {
  return typeof value === "function";
}

function readOptions(value: unknown): CallOptions | undefined {
  if (value === undefined || isOptions(value)) return value;
  throw invalidValue("the options of a request", "an object", value);
}

function isOptions(value: unknown): value is CallOptions {
  return typeof value === "object" && value !== null;
}

/** A Blob is read first: it has no bytes in memory. */
function isRawBlob(data: unknown, options: CallOptions | undefined): data is Blob {
  return options?.codec === "raw" && isBlob(data);
}

// The public worker: events, start and stop, and how handlers are called. The session decides what happens to a request.

import { guarded, isBlob, type PeerEvents, readService, resolveAddresses, type Warnings } from "@pigato/peer";
import { display, NOT_JSON, UsageError } from "@pigato/protocol";
import { isAsyncIterable, isError, isThenable, MALFORMED, reasonOf } from "@pigato/protocol/internal";
import { setImmediate } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { DIALECTS, readRequest, type WorkerDialect } from "./dialect.ts";
import { Driver } from "./driver.ts";
import { liveOptions, resolveOptions, type WorkerConf, type WorkerOptions } from "./options.ts";
import { Reply } from "./reply.ts";
import { type RequestLoop, RequestQueue } from "./request-loop.ts";
import { readSentOptions, type SentOptions } from "./sent-options.ts";
import type { WorkerRequest } from "./session/effects.ts";
import { writeChunks } from "./write-chunks.ts";

/**
 * Handles a request. A value that it returns, or resolves to, is the final reply, unless the reply has ended before. The chunks of an
 * async generator are partial replies, and what it returns is the final one. `undefined` is no reply, and neither are functions,
 * timers, streams of Node and other event emitters, which arrow functions often return unintentionally. An exception or a rejection
 * becomes the error of the request. `opts` are the options that the client sent, with its headers in `opts.headers`; `{}` if it sent none.
 */
export type RequestHandler = (data: unknown, reply: Reply, opts: SentOptions) => unknown;

/** A worker needs a listener for `request` alone. */
export interface WorkerEvents extends PeerEvents {
  /** A client sent a request. An error that the handler throws, or rejects with, becomes the request's error. */
  request: RequestHandler;
}

/** Offers a service to a broker and handles its requests. */
export class Worker extends EventEmitter<WorkerEvents> implements AsyncDisposable {
  /** The offered service, as passed to the constructor. */
  readonly service: string;
  /** The options in force. Setting `concurrency` notifies the broker; the rest is read-only. */
  readonly conf: WorkerConf;
  readonly #dialect: WorkerDialect;
  readonly #driver: Driver;
  readonly #warnings: Warnings;
  readonly #queue: RequestQueue;
  /** The number of handlers, above one, of which it has warned. */
  #severalHandlers = 0;

  /**
   * @param addr the broker's address, e.g. `tcp://localhost:55555`, or several that are tried in turn
   * @param service the service to offer: a name, `name*` for every name with this prefix, or `name@1.2.3` for a version
   * @throws UsageError for an invalid address, name or option
   */
  constructor(addr: string | readonly string[], service: string, conf: WorkerOptions = {}) {
    super();
    this.service = service;
    const settings = resolveOptions(conf);
    this.#dialect = DIALECTS[settings.dialect];
    this.#warnings = settings.warnings;
    const addresses = resolveAddresses(addr, settings.security);
    this.#driver = new Driver({ service: readService(service), addresses }, settings, {
      start: () => this.emit("start"),
      stop: () => this.#onStop(),
      connecting: () => this.emit("connecting"),
      connect: () => this.#onConnect(),
      disconnect: (reason) => this.emit("disconnect", reason),
      error: (error) => this.#onError(error),
      request: (request, reply) => this.#onRequest(request, reply),
    });
    this.conf = liveOptions(settings, (concurrency) => this.#driver.apply({ type: "concurrency", concurrency }));
    const enqueue: RequestHandler = (data, reply, opts) => this.#queue.add({ data, reply, opts });
    this.#queue = new RequestQueue({
      flow: (isOpen) => void (isOpen ? this.on("request", enqueue) : this.off("request", enqueue)),
      requeue: (reply) => guarded(() => this.#requeue(reply, "the worker left its loop over requests")),
    });
    const { onStart, onStop, onConnect, onDisconnect } = settings;
    if (onStart) this.on("start", onStart);
    if (onStop) this.on("stop", onStop);
    if (onConnect) this.on("connect", onConnect);
    if (onDisconnect) this.on("disconnect", onDisconnect);
  }

  /** The address of the current connection, or of the last one, or of the first attempt. */
  get broker(): string {
    return this.#driver.runtime.address;
  }

  /** The id under which the broker knows this worker. Each connection has a new one. */
  get socketId(): string {
    return this.#driver.runtime.link.socketId;
  }

  /**
   * Connects, and reconnects whenever the broker is lost. Safe to call twice.
   * @param callback called as the promise settles, with the error if it rejects
   * @returns a promise that resolves when a broker has answered, however long that takes. It rejects with a `RequestError` of
   *   the code `CLOSED` if `stop()` comes first, and with a `LinkError` for an address that the transport cannot use and, of the
   *   code `REFUSED`, if the only broker rejects the worker, for example at its bound `maxWorkers`; the message says why, and
   *   the worker has stopped then. It need not be awaited: its rejection is never "unhandled".
   */
  start(callback?: (error?: Error) => void): Promise<void> {
    const ready = this.#driver.runtime.lifecycle.start();
    if (callback) void ready.then(() => callback(), callback);
    return ready;
  }

  /**
   * Accepts no new requests, waits at most `stopTimeoutMs` for running ones, disconnects from the broker and closes. Safe to
   * call twice; `start()` works again afterwards.
   */
  stop(): Promise<void> {
    // There is no event `stop` then.
    if (this.#driver.runtime.lifecycle.isNew) this.#queue.endAll();
    return this.#driver.runtime.lifecycle.stop();
  }

  /**
   * Opens a loop over requests, instead of a listener for `request`: `for await (const request of worker.requests())`. Requests that
   * arrive before the loop takes them wait in the worker, so set `concurrency` to the number that you handle at a time. Several open
   * loops share the requests: each goes to one of them.
   * @throws UsageError if the worker has a listener for `request`
   */
  requests(): RequestLoop {
    if (!this.#queue.isOpen && this.listenerCount("request") > 0) {
      throw new UsageError(`worker "${this.service}" has a request handler: remove it before you call requests()`);
    }
    return this.#queue.open();
  }

  /** Sends a heartbeat to the broker now. */
  heartbeat(): void {
    this.#driver.apply({ type: "heartbeat" });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #onRequest(request: WorkerRequest, reply: Reply): void {
    const handlers = this.listeners("request");
    if (handlers.length === 0) return this.#onNoHandler(reply);
    const { codec } = request.options;
    const data = readRequest(this.#dialect, request);
    if (data === NOT_JSON || data === MALFORMED) {
      const message = `the data of request ${display(request.requestId)} is not ${codec ?? "JSON"}`;
      return reply.error({ name: "RequestError", message, code: "INVALID" });
    }
    if (handlers.length > 1) this.#warnOfSeveralHandlers(handlers.length);
    const sent = readSentOptions(request.trailer[0]);
    const opts = request.hasHeaders === true ? { ...sent, headers: { ...reply.info.headers } } : sent;
    for (const handler of handlers) {
      // Does not use `emit`, which discards the promises of the handlers. So it must implement `once`.
      this.off("request", handler, undefined, true);
      this.#call(handler, data, reply, opts);
    }
  }

  #onStop(): void {
    this.#queue.endAll();
    this.emit("stop");
  }

  /** A handler may be added right after `await worker.start()`. */
  #onConnect(): void {
    this.emit("connect");
    setImmediate(() => {
      const handlers = this.listenerCount("request");
      if (handlers === 0) this.#warnOfNoHandler();
      if (handlers > 1) this.#warnOfSeveralHandlers(handlers);
    });
  }

  #warnOfNoHandler(): void {
    const text = `worker "${this.service}" has no request handler: call worker.on("request", …) before start()`;
    this.#warnings.warn("PIGATO_NO_HANDLER", text, { service: this.service });
  }

  /** Once for each number of handlers, because a log would have a line for each request. */
  #warnOfSeveralHandlers(count: number): void {
    if (count === this.#severalHandlers) return;
    this.#severalHandlers = count;
    const text = `worker "${this.service}" has ${count} request handlers: each gets every request, and the first reply counts`;
    this.#warnings.warn("PIGATO_SEVERAL_HANDLERS", text, { service: this.service });
  }

  #onNoHandler(reply: Reply): void {
    this.#warnOfNoHandler();
    this.#requeue(reply, "the worker has no handler");
  }

  #requeue(reply: Reply, reason: string): void {
    if (this.#dialect.brokerAnswers) reply.reject(reason);
    else reply.error({ name: "Error", message: reason });
  }

  #call(handler: RequestHandler, data: unknown, reply: Reply, opts: SentOptions): void {
    try {
      const result = handler.call(this, data, reply, opts);
      if (result === undefined || result === reply) return;
      if (isThenable(result)) this.#awaitResult(result, reply);
      else this.#onResult(result, reply);
    } catch (error) {
      this.#onHandlerError(error, reply);
    }
  }

  #awaitResult(result: PromiseLike<unknown>, reply: Reply): void {
    void Promise.resolve(result)
      .then((value) => this.#onResult(value, reply))
      .catch((error: unknown) => this.#onHandlerError(error, reply));
  }

  /** @throws UsageError for a value that cannot be sent */
  #onResult(value: unknown, reply: Reply): void {
    if (value === undefined || !reply.active() || !isData(value)) return;
    if (isBlob(value)) return this.#awaitResult(value.arrayBuffer(), reply);
    if (!isAsyncIterable(value)) reply.end(value);
    else
      this.#awaitResult(
        writeChunks(value, reply).then((final) => this.#onChunksEnd(final, reply)),
        reply,
      );
  }

  #onChunksEnd(final: unknown, reply: Reply): void {
    if (reply.active()) reply.end(final);
  }

  #onHandlerError(error: unknown, reply: Reply): void {
    if (Reply.fail(reply, error)) return this.#warnOfFailure(error, "");
    // A handler may fail because of an abort or its own `destroy`. A failure after the end would be lost otherwise.
    if (!reply.ended) return;
    if (this.listenerCount("error") === 0) return this.#warnOfFailure(error, " after the end of its reply");
    this.#onError(isError(error) ? error : new Error("a handler failed", { cause: error }));
  }

  #warnOfFailure(error: unknown, when: string): void {
    const text = `a handler of worker "${this.service}" failed${when}: ${reasonOf(error)}`;
    this.#warnings.warn("PIGATO_HANDLER_FAILED", text, { service: this.service, err: error });
  }

  #onError(error: Error): void {
    if (this.listenerCount("error") === 0) return this.#warnings.onUnheard(error);
    guarded(() => this.conf.logger.error({ service: this.service, err: error }, error.message));
    this.emit("error", error);
  }
}

/** Whether a value may be a reply. `setTimeout`, `pipe` and `on` return timers and emitters, which no handler means as its reply. */
function isData(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "function" && typeof value !== "symbol";
  const isHandle = typeof Reflect.get(value, "on") === "function" || typeof Reflect.get(value, "hasRef") === "function";
  return !isHandle;
}

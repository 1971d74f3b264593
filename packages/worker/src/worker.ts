// The shell of a worker: a link of the transport, an alarm, the session that decides, and the handlers. It never asks
// what a message means.
//
// What always holds: the user's code (handlers, listeners) never runs while an effect is being performed, and what a
// link of an earlier life has to say is not heard.

import {
  decodePayload,
  type Frame,
  type FromWorker,
  type LossReason,
  NOT_JSON,
  NULL_FRAME,
  peerIdFromText,
  pigato,
  RequestError,
} from "@pigato/protocol";
import type { Alarm, DealerLink, SendOptions, SendOutcome } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { nanoid } from "nanoid";
import { type Deferred, deferred } from "./deferred.ts";
import type { Call, SessionEffect, SessionInput, WorkerRequest } from "./effects.ts";
import {
  limitOf,
  liveOptions,
  resolveAddresses,
  resolveOptions,
  resolveService,
  type WorkerConf,
  type WorkerOptions,
} from "./options.ts";
import { Reply, type ReplyPort } from "./reply.ts";
import { Session } from "./session.ts";

/**
 * Handles a request. What it throws, or rejects with, becomes the error of the request. `opts` are the options that
 * the client sent, as it wrote them; `{}` if it sent none.
 */
export type RequestHandler = (data: unknown, reply: Reply, opts: Readonly<Record<string, unknown>>) => unknown;

export interface WorkerEvents {
  start: () => void;
  stop: () => void;
  /** The broker has answered on a new connection. */
  connect: () => void;
  /** A connection that had been answered is gone. */
  disconnect: (reason: LossReason) => void;
  request: RequestHandler;
  /** Something went wrong that no caller can be told of. Without a listener it is only logged. */
  error: (error: Error) => void;
}

type Life =
  | { readonly phase: "stopped" }
  | { readonly phase: "started"; readonly ready: Deferred }
  /** `restart`: `start()` was called meanwhile. */
  | { readonly phase: "stopping"; readonly done: Deferred; restart: Deferred | undefined };

const URGENT: SendOptions = Object.freeze({ urgent: true });

/** Offers a service to a broker and handles its requests. */
export class Worker extends EventEmitter<WorkerEvents> implements AsyncDisposable {
  readonly service: string;
  /** The options in force. Setting `concurrency` tells the broker at once; nothing else can be set. */
  readonly conf: WorkerConf;
  readonly #session: Session;
  readonly #alarm: Alarm;
  readonly #port: ReplyPort;
  readonly #replies = new Map<Call, Reply>();
  /** Replies that were asked to pause until the link has caught up. */
  readonly #paused = new Set<Reply>();
  /** What the link did not take, for the session to hear of after the present effects. */
  readonly #refused: SessionInput[] = [];
  /** The user's code that is to run after the present effects. */
  readonly #due: (() => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  #isCallingOut = false;
  #life: Life = { phase: "stopped" };
  #link: DealerLink | undefined;
  #lastOutcome: SendOutcome = "queued";
  #broker: string;
  #socketId: string;

  /**
   * @param addr the broker's address, e.g. `tcp://localhost:55555`, or several to be tried in turn
   * @param service what to offer: a name, `name*` for every name that starts so, or `name@1.2.3` for a version
   * @throws UsageError for an address, a name or an option that cannot be
   */
  constructor(addr: string | readonly string[], service: string, conf: WorkerOptions = {}) {
    super();
    const addresses = resolveAddresses(addr);
    const settings = resolveOptions(conf);
    this.#session = new Session({
      service: resolveService(service),
      addresses,
      heartbeatMs: settings.heartbeat,
      liveness: settings.heartbeatLiveness,
      backoff: { firstMs: settings.reconnect, maxMs: settings.reconnectMaxMs },
      connectTimeoutMs: settings.connectTimeoutMs,
      random: settings.random,
      concurrency: limitOf(settings.concurrency),
      maxInFlight: settings.maxInFlight,
      stopTimeoutMs: settings.stopTimeoutMs,
    });
    this.service = service;
    this.conf = liveOptions(settings, (concurrency) => this.#apply({ type: "concurrency", concurrency }));
    this.#broker = addresses[0] ?? "";
    this.#socketId = this.#newSocketId();
    this.#alarm = settings.clock.alarm(() => this.#apply({ type: "tick" }));
    this.#port = {
      partial: (call, body, options) => this.#sendPartial(call, body, options),
      final: (call, status, body, options) => this.#end(call, { type: "final", call, status, body, options }),
      reject: (call, reason) => this.#end(call, { type: "reject", call, reason }),
      heartbeat: () => this.#apply({ type: "heartbeat" }),
      report: (error) => this.#report(error),
    };
    this.on("start", settings.onStart);
    this.on("stop", settings.onStop);
    this.on("connect", settings.onConnect);
    this.on("disconnect", settings.onDisconnect);
  }

  /** The address of the broker that this worker is connected to, or was last, or tries. */
  get broker(): string {
    return this.#broker;
  }

  /** The id under which the broker knows this worker. New with every connection. */
  get socketId(): string {
    return this.#socketId;
  }

  /**
   * Connects, and connects anew whenever the broker is lost. Safe to call twice.
   * @returns a promise that resolves when the broker has answered for the first time, however long that takes. It
   *   rejects with a `RequestError` of the code `CLOSED` if `stop()` comes first, and with a `LinkError` for an
   *   address that the transport cannot read. Nobody needs to wait for it: its rejection is never "unhandled".
   */
  start(callback?: (error?: Error) => void): Promise<void> {
    const { promise } = this.#begin();
    if (callback) void promise.then(() => callback(), callback);
    return promise;
  }

  /**
   * Takes no more requests, lets those that run finish for at most `stopTimeoutMs`, says goodbye to the broker and
   * closes. Safe to call twice; `start()` works again afterwards.
   */
  stop(): Promise<void> {
    const life = this.#life;
    switch (life.phase) {
      case "stopped":
        return Promise.resolve();
      case "stopping":
        life.restart?.reject(stoppedFirst());
        life.restart = undefined;
        return life.done.promise;
      case "started": {
        const done = deferred();
        this.#enter({ phase: "stopping", done, restart: undefined });
        life.ready.reject(stoppedFirst());
        this.#apply({ type: "stop" });
        return done.promise;
      }
      default:
        return life satisfies never;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #begin(): Deferred {
    const life = this.#life;
    switch (life.phase) {
      case "started":
        return life.ready;
      case "stopping":
        life.restart ??= deferred();
        return life.restart;
      case "stopped":
        return this.#launch(deferred());
      default:
        return life satisfies never;
    }
  }

  #launch(ready: Deferred): Deferred {
    this.#enter({ phase: "started", ready });
    queueMicrotask(() => this.emit("start"));
    this.#apply({ type: "start" });
    return ready;
  }

  async #onStopped(): Promise<void> {
    await Promise.all(this.#closing);
    const life = this.#life;
    if (life.phase !== "stopping") return;
    this.#enter({ phase: "stopped" });
    if (life.restart) this.#launch(life.restart);
    life.done.resolve();
    this.#callOut(() => this.emit("stop"));
  }

  /** The transport cannot use the address. Before the first connection that is a mistake to be told, not retried. */
  #onBadAddress(error: Error): void {
    this.#report(error);
    const life = this.#life;
    if (life.phase !== "started") return;
    if (life.ready.isSettled()) return this.#apply({ type: "link-down" });
    life.ready.reject(error);
    void this.stop();
  }

  #apply(input: SessionInput): void {
    this.#handle(input);
    while (this.#refused.length > 0) for (const refused of this.#refused.splice(0)) this.#handle(refused);
    this.#alarm.set(this.#session.nextDeadline());
    if (this.#due.length > 0) this.#callOut();
  }

  #handle(input: SessionInput): void {
    for (const effect of this.#session.handle(input, this.conf.clock.now())) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case "send":
        this.#send(effect.message, effect.isUrgent);
        break;
      case "run": {
        const reply = new Reply(this.#port, effect.call);
        this.#replies.set(effect.call, reply);
        this.#due.push(() => this.#run(effect.request, reply));
        break;
      }
      case "abort":
        this.#forget(effect.call)?.abort(effect.failure, this.service);
        break;
      case "open":
        this.#open(effect.address);
        break;
      case "close":
        this.#close();
        break;
      case "connected":
        this.conf.logger.info({ service: this.service, broker: this.#broker, socketId: this.#socketId }, "connected");
        if (this.#life.phase === "started") this.#life.ready.resolve();
        this.#due.push(() => this.emit("connect"));
        break;
      case "disconnected":
        this.conf.logger.info({ service: this.service, broker: this.#broker, reason: effect.reason }, "disconnected");
        this.#due.push(() => this.emit("disconnect", effect.reason));
        break;
      case "trouble":
        this.#due.push(() => this.#report(new Error(effect.message)));
        break;
      case "stopped":
        void this.#onStopped();
        break;
      default:
        effect satisfies never;
    }
  }

  #open(address: string): void {
    this.#broker = address;
    this.#socketId = this.#newSocketId();
    try {
      const link: DealerLink = this.conf.transport.dealer(
        {
          onMessage: (frames) => {
            if (this.#link === link) this.#apply({ type: "message", message: pigato.decodeToWorker(frames) });
          },
          onUp: () => {
            if (this.#link === link) this.#apply({ type: "link-up" });
          },
          onDown: () => {
            if (this.#link === link) this.#apply({ type: "link-down" });
          },
          onUndelivered: () => {
            if (this.#link === link) this.#apply({ type: "undelivered" });
          },
          onDrain: () => {
            if (this.#link === link) this.#resume();
          },
          onError: (error) => {
            if (this.#link !== link) return;
            this.#callOut(() => this.#report(error));
            this.#apply({ type: "link-down" });
          },
        },
        { routingId: peerIdFromText(this.#socketId) },
      );
      this.#link = link;
      link.connect(address);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(`cannot connect to ${address}`, { cause });
      this.#due.push(() => this.#onBadAddress(error));
    }
  }

  #close(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#paused.clear();
    const closing = link
      .close()
      .catch((error: Error) => this.#callOut(() => this.#report(error)))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #send(message: FromWorker, isUrgent: boolean): void {
    if (this.#link === undefined) return;
    const frames = pigato.encodeFromWorker(message);
    const outcome = isUrgent ? this.#link.send(frames, URGENT) : this.#link.send(frames);
    if (outcome === "congested" || outcome === "unreachable") {
      this.#refused.push({ type: "refused", message, isUrgent });
    }
    this.#lastOutcome = outcome;
  }

  #sendPartial(call: Call, body: Frame, options: Frame): boolean {
    this.#apply({ type: "partial", call, body, options });
    const reply = this.#replies.get(call);
    if (reply === undefined) return false;
    if (this.#lastOutcome !== "slow") return true;
    this.#paused.add(reply);
    return false;
  }

  #end(call: Call, input: SessionInput): void {
    this.#forget(call);
    this.#apply(input);
  }

  #forget(call: Call): Reply | undefined {
    const reply = this.#replies.get(call);
    if (reply === undefined) return undefined;
    this.#replies.delete(call);
    this.#paused.delete(reply);
    return reply;
  }

  #resume(): void {
    for (const reply of this.#paused) this.#due.push(() => reply.drained());
    this.#paused.clear();
    this.#callOut();
  }

  #run(request: WorkerRequest, reply: Reply): void {
    const handlers = this.listeners("request");
    if (handlers.length === 0) return reply.reject("the worker has no handler");
    const data = decodePayload(request.body[0] ?? NULL_FRAME);
    if (data === NOT_JSON) {
      const message = `the data of request ${request.requestId} is not JSON`;
      return reply.error({ name: "RequestError", message, code: "INVALID" });
    }
    const opts = optionsIn(request.trailer[0]);
    for (const handler of handlers) {
      // Called here and not by `emit`, which keeps their promises to itself. So `once` is kept here, too.
      this.off("request", handler, undefined, true);
      this.#invoke(handler, data, reply, opts);
    }
  }

  #invoke(handler: RequestHandler, data: unknown, reply: Reply, opts: Readonly<Record<string, unknown>>): void {
    try {
      const result = handler.call(this, data, reply, opts);
      if (isThenable(result)) void Promise.resolve(result).catch((error) => this.#onHandlerError(error, reply));
    } catch (error) {
      this.#onHandlerError(error, reply);
    }
  }

  #onHandlerError(error: unknown, reply: Reply): void {
    this.conf.logger.warn({ service: this.service, err: error }, "a handler failed");
    if (reply.fail(error)) return;
    // After an abort, or its own `destroy`, a handler is expected to fail. After a good end nobody else would know.
    if (reply.ended) this.#report(error instanceof Error ? error : new Error("a handler failed", { cause: error }));
  }

  /** Runs the user's code that is due, in order, and never one piece within another. */
  #callOut(...more: (() => void)[]): void {
    this.#due.push(...more);
    if (this.#isCallingOut) return;
    this.#isCallingOut = true;
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      try {
        next();
      } catch (error) {
        // A listener that throws is the program's fault, to be met where Node meets such faults; not in our loop.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#isCallingOut = false;
  }

  #report(error: Error): void {
    this.conf.logger.error({ service: this.service, err: error }, error.message);
    this.emit("error", error);
  }

  #newSocketId(): string {
    return `${this.conf.prefix}-${nanoid()}`;
  }

  #enter(life: Life): void {
    this.#life = life;
  }
}

function stoppedFirst(): RequestError {
  return new RequestError({
    code: "CLOSED",
    message: "the worker was stopped before it had connected",
    delivery: "not-sent",
  });
}

function optionsIn(frame: Frame | undefined): Readonly<Record<string, unknown>> {
  const value = frame === undefined || frame.length === 0 ? undefined : decodePayload(frame);
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isRecord(value) && typeof value.then === "function";
}

// The worker's shell: gives inputs to the session and performs its effects. It keeps the link, the alarm and the replies of
// running requests, and does not look into messages.
//
// Invariants: user code, and with it the watcher, is called after the effects at hand, never among them; and an event of an
// earlier link is ignored.

import { nextTick } from "node:process";
import type { LossReason } from "@pigato/peer/session";
import { type Failure, type FromWorker, peerIdFromText, type Violation } from "@pigato/protocol";
import { type Alarm, type DealerLink, LinkError, type Refusal, type SendOptions } from "@pigato/transport";
import { nanoid } from "nanoid";
import { DIALECTS, type ReplyFormat, type WorkerDialect } from "./dialect.ts";
import type { WorkerSettings } from "./options.ts";
import { Reply, type ReplyPort } from "./reply.ts";
import type { Effect, Input, WorkerRequest } from "./session/effects.ts";
import type { CallId } from "./session/request-table.ts";
import type { Session } from "./session/session.ts";
import { SlotTable } from "./session/slot-table.ts";

const URGENT: SendOptions = Object.freeze({ urgent: true });

/** Is notified of what happens. What it throws is an uncaught exception, and disturbs nothing here. */
export interface DriverWatcher {
  /** A link is being opened, under a new id. */
  onConnecting(): void;
  onConnected(): void;
  onDisconnected(reason: LossReason): void;
  onRequest(request: WorkerRequest, reply: Reply): void;
  onError(error: Error): void;
  /** The transport refused the address. @returns whether to give up; otherwise the next one is tried after a pause */
  onRefused(error: Error): boolean;
  /**
   * The broker does not let this worker in, or is not the right one. The link goes on trying.
   * @param isFinal it said so, and will again as long as neither changes
   */
  onKeptOut(error: LinkError, isFinal: boolean): void;
  /** The session has ended and every link is closed. */
  onStopped(): void;
}

type DriverSettings = Pick<WorkerSettings, "prefix" | "transport" | "security" | "clock" | "logger" | "dialect">;

export class Driver implements ReplyPort {
  readonly format: ReplyFormat;
  readonly #wire: ReturnType<WorkerDialect["newWire"]>;
  readonly #session: Session;
  readonly #service: string;
  readonly #settings: DriverSettings;
  readonly #watcher: DriverWatcher;
  readonly #alarm: Alarm;
  /** Of the requests in flight. */
  readonly #replies = new SlotTable<Reply>();
  /** What effects have caused. Handled before `apply` returns. */
  readonly #inputs: Input[] = [];
  /** Calls of user code that wait for the effects at hand. */
  readonly #due: (() => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  #isNotifying = false;
  #link: DealerLink | undefined;
  #isLinkSlow = false;
  #address: string | undefined;
  /** What was told of last. A link that goes on trying is refused again and again; it is told once. */
  #lastRefusal: string | undefined;
  #socketId: string;

  constructor(session: Session, service: string, settings: DriverSettings, watcher: DriverWatcher) {
    const { format, newWire } = DIALECTS[settings.dialect];
    this.format = format;
    this.#wire = newWire();
    this.#session = session;
    this.#service = service;
    this.#settings = settings;
    this.#watcher = watcher;
    this.#alarm = settings.clock.alarm(() => this.apply({ type: "tick" }));
    this.#socketId = newSocketId(settings.prefix);
  }

  /** The address of the present link, or of the last one. */
  get address(): string | undefined {
    return this.#address;
  }

  get socketId(): string {
    return this.#socketId;
  }

  apply(input: Input): void {
    this.#handle(input);
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#handle(next);
    this.#alarm.set(this.#session.nextDeadline());
    if (this.#due.length > 0) this.#notify();
  }

  report(error: Error): void {
    this.#due.push(() => this.#watcher.onError(error));
    this.#notify();
  }

  #handle(input: Input): void {
    for (const effect of this.#session.handle(input, this.#settings.clock.now())) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { logger } = this.#settings;
    switch (effect.type) {
      case "send":
        return this.#send(effect.message, effect.isUrgent);
      case "run":
        return this.#run(effect.call, effect.request);
      case "pause":
        return Reply.pause(this.#replies.get(effect.call));
      case "drain": {
        const reply = this.#replies.get(effect.call);
        this.#due.push(() => Reply.drain(reply));
        return;
      }
      case "finished":
        return Reply.finish(this.#replies.take(effect.call));
      case "abort":
        return this.#abort(effect.call, effect.failure);
      case "flush-soon":
        return nextTick(() => this.apply({ type: "flush" }));
      case "defer":
        if (effect.until === "sent") this.#inputs.push(effect.input);
        else this.#due.push(() => this.apply(effect.input));
        return;
      case "open":
        return this.#open(effect.address);
      case "close":
        return this.#close(effect.flush);
      case "connected":
        logger.info({ service: this.#service, address: this.#address, socketId: this.#socketId }, "connected");
        this.#due.push(() => this.#watcher.onConnected());
        return;
      case "disconnected":
        logger.warn({ service: this.#service, address: this.#address, reason: effect.reason }, "disconnected");
        this.#due.push(() => this.#watcher.onDisconnected(effect.reason));
        return;
      case "report":
        this.#due.push(() => this.#watcher.onError(errorOf(effect.message, effect.violation)));
        return;
      case "stopped":
        void Promise.all(this.#closing).then(() => {
          this.#due.push(() => this.#watcher.onStopped());
          this.#notify();
        });
        return;
      default:
        return effect satisfies never;
    }
  }

  #open(address: string): void {
    this.#address = address;
    this.#socketId = newSocketId(this.#settings.prefix);
    this.#due.push(() => this.#watcher.onConnecting());
    try {
      const link: DealerLink = this.#settings.transport.dealer(
        {
          onMessage: (frames) => {
            if (this.#link === link) this.apply({ type: "message", message: this.#wire.decodeToWorker(frames) });
          },
          onUp: () => {
            if (this.#link !== link) return;
            this.#lastRefusal = undefined;
            this.apply({ type: "link-up" });
          },
          onDown: () => {
            if (this.#link === link) this.apply({ type: "link-down" });
          },
          onUndelivered: () => {
            if (this.#link === link) this.apply({ type: "undelivered" });
          },
          onDrain: () => {
            if (this.#link === link) this.#onDrain();
          },
          onRefused: (refusal) => {
            if (this.#link === link) this.#onRefused(refusal, address);
          },
          onError: (error) => {
            if (this.#link === link) this.#onLinkError(error);
          },
        },
        { routingId: peerIdFromText(this.#socketId), security: this.#settings.security },
      );
      this.#link = link;
      this.#isLinkSlow = false;
      link.connect(address);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(`cannot connect to ${address}`, { cause });
      this.#due.push(() => this.#onRefusedAddress(error));
    }
  }

  #onLinkError(error: Error): void {
    this.#due.push(() => this.#watcher.onError(error));
    this.apply({ type: "link-down" });
  }

  #onRefused({ code, detail, cause }: Refusal, address: string): void {
    const text = `the broker at ${address} refused us, or we refused it: ${code}, ${detail}`;
    this.#settings.logger.warn({ address, code, detail }, "refused");
    if (this.#lastRefusal === text) return;
    this.#lastRefusal = text;
    const error = new LinkError("REFUSED", text, { address, cause });
    this.#due.push(() => this.#watcher.onKeptOut(error, isFinal(code)));
    this.#notify();
  }

  #onRefusedAddress(error: Error): void {
    if (!this.#watcher.onRefused(error)) this.apply({ type: "link-down" });
    this.#watcher.onError(error);
  }

  #close(flush: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    const closing: Promise<void> = (flush ? link.close() : link.close(0))
      .catch((error: unknown) => this.#settings.logger.warn({ err: error }, "a link did not close cleanly"))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #send(message: FromWorker, isUrgent: boolean): void {
    if (this.#link === undefined) return;
    const frames = this.#wire.encodeFromWorker(message);
    if (frames === undefined) return;
    const outcome = isUrgent ? this.#link.send(frames, URGENT) : this.#link.send(frames);
    switch (outcome) {
      case "queued":
        return;
      case "slow":
        if (!this.#isLinkSlow) this.#inputs.push({ type: "link-slow" });
        this.#isLinkSlow = true;
        return;
      case "congested":
      case "unreachable":
        this.#inputs.push({ type: "refused", message, isUrgent });
        return;
      default:
        return outcome satisfies never;
    }
  }

  #onDrain(): void {
    this.#isLinkSlow = false;
    this.apply({ type: "link-drained" });
  }

  #run(call: CallId, request: WorkerRequest): void {
    const reply = new Reply(this, call, request.requestId);
    this.#replies.set(call, reply);
    this.#due.push(() => this.#watcher.onRequest(request, reply));
  }

  #abort(call: CallId, failure: Failure): void {
    Reply.abort(this.#replies.take(call), failure, this.#service);
  }

  /** Calls user code: in order, and never within another of its calls. */
  #notify(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      try {
        next();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#isNotifying = false;
  }
}

function errorOf(message: string, violation: Violation | undefined): Error {
  return violation === undefined ? new Error(message) : new Error(message, { cause: violation });
}

function isFinal(code: Refusal["code"]): boolean {
  return code === "DENIED" || code === "INCOMPATIBLE" || code === "REFUSED";
}

function newSocketId(prefix: string): string {
  return `${prefix}-${nanoid()}`;
}

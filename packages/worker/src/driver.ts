// The shell's heart: hands inputs to the session, performs what it answers, keeps the link, the alarm and the replies of
// running requests. It never asks what a message means.
//
// What always holds: the watcher, and with it the user's code, is called after the present effects, never among them;
// and what a link of an earlier life has to say is not heard.

import { type Failure, type Frame, type LossReason, peerIdFromText, type Violation } from "@pigato/protocol";
import { type Alarm, type DealerLink, LinkError, type Refusal } from "@pigato/transport";
import { nanoid } from "nanoid";
import { DIALECTS, type ReplyFormat, type WorkerDialect } from "./dialect.ts";
import type { WorkerSettings } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { Reply, type ReplyPort } from "./reply.ts";
import type { Call } from "./session/calls.ts";
import type { Effect, HandlerInput, Input, WorkerRequest } from "./session/effects.ts";
import { mayLeave } from "./session/held-parts.ts";
import type { Session } from "./session/session.ts";

/** Who is told what happens. Whatever it throws is an uncaught exception, and disturbs nothing here. */
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
  readonly #wire: WorkerDialect["wire"];
  readonly #session: Session;
  readonly #service: string;
  readonly #settings: DriverSettings;
  readonly #watcher: DriverWatcher;
  readonly #alarm: Alarm;
  /** Calls whose replies were asked to pause until the link has caught up. */
  readonly #paused = new Set<Call>();
  readonly #outgoing: Outgoing;
  /** What to tell the watcher after the present effects. */
  readonly #due: (() => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  #isTelling = false;
  #link: DealerLink | undefined;
  #address: string | undefined;
  /** What was told of last. A link that goes on trying is refused again and again; it is told once. */
  #lastRefusal: string | undefined;
  #socketId: string;

  constructor(session: Session, service: string, settings: DriverSettings, watcher: DriverWatcher) {
    const { format, wire } = DIALECTS[settings.dialect];
    this.format = format;
    this.#wire = wire;
    this.#outgoing = new Outgoing(wire, () => this.#settle());
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
    this.#settle();
  }

  partial(call: Call, body: readonly Frame[], options: Frame): boolean {
    this.apply({ type: "partial", call, body, options });
    // Where it is a grant that it waits for, it hears of that.
    if (!call.isInFlight || call.credit === 0 || call.held !== undefined) return false;
    if (!this.#outgoing.isSlow) return true;
    this.#paused.add(call);
    return false;
  }

  final(call: Call, status: number, body: readonly Frame[], options: Frame): boolean {
    this.#end({ type: "final", call, status, body, options });
    return !call.isInFlight;
  }

  reject(call: Call, reason: Frame): void {
    this.#end({ type: "reject", call, reason });
  }

  heartbeat(): void {
    this.apply({ type: "heartbeat" });
  }

  requestHeartbeat(call: Call): void {
    this.apply({ type: "request-heartbeat", call });
  }

  report(error: Error): void {
    this.#due.push(() => this.#watcher.onError(error));
    this.#tell();
  }

  /** What is left to do once the effects of an input are performed. */
  #settle(): void {
    const outgoing = this.#outgoing;
    for (let next = outgoing.takeRefused(); next !== undefined; next = outgoing.takeRefused()) this.#handle(next);
    this.#alarm.set(this.#session.nextDeadline());
    if (this.#due.length > 0) this.#tell();
  }

  #handle(input: Input): void {
    for (const effect of this.#session.handle(input, this.#settings.clock.now())) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { logger } = this.#settings;
    switch (effect.type) {
      case "send":
        return this.#outgoing.send(effect.message, effect.isUrgent, this.#session.accepted.partials);
      case "run":
        return this.#run(effect.call, effect.request);
      case "resume":
        this.#due.push(() => this.#goOn(effect.call));
        return;
      case "abort":
        return this.#abort(effect.call, effect.failure);
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
      case "trouble":
        this.#due.push(() => this.#watcher.onError(troubleOf(effect.message, effect.violation)));
        return;
      case "stopped":
        void Promise.all(this.#closing).then(() => {
          this.#due.push(() => this.#watcher.onStopped());
          this.#tell();
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
            if (this.#link === link) this.#resume();
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
      this.#outgoing.link = link;
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
    this.#tell();
  }

  #onRefusedAddress(error: Error): void {
    if (!this.#watcher.onRefused(error)) this.apply({ type: "link-down" });
    this.#watcher.onError(error);
  }

  #close(flush: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#outgoing.link = undefined;
    const closing: Promise<void> = (flush ? link.close() : link.close(0))
      .catch((error: unknown) => this.#settings.logger.warn({ err: error }, "a link did not close cleanly"))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #run(call: Call, request: WorkerRequest): void {
    const reply = new Reply(this, call);
    call.owner = reply;
    this.#due.push(() => this.#watcher.onRequest(request, reply));
  }

  #abort(call: Call, failure: Failure): void {
    this.#paused.delete(call);
    if (call.owner instanceof Reply) Reply.abort(call.owner, failure, this.#service);
  }

  #end(input: HandlerInput): void {
    if (this.#paused.size > 0) this.#paused.delete(input.call);
    this.#settlePartials();
    this.apply(input);
  }

  /** Before the end of a reply it must be known whether its parts have left: if not, it ends otherwise. */
  #settlePartials(): void {
    if (!this.#outgoing.isWaiting) return;
    this.#outgoing.flush();
    this.#settle();
  }

  #resume(): void {
    this.#outgoing.onDrain();
    for (const call of this.#paused) this.#due.push(() => this.#goOn(call));
    this.#paused.clear();
    this.#tell();
  }

  /** What a call holds leaves as far as its credit and the link allow; its handler is heard again when nothing is left. */
  #goOn(call: Call): void {
    while (mayLeave(call) && !this.#outgoing.isSlow) {
      if (call.held?.first.input.type === "final") this.#settlePartials();
      this.apply({ type: "flush", call });
    }
    if (!(call.owner instanceof Reply)) return;
    if (!call.isInFlight) return Reply.left(call.owner);
    if (this.#outgoing.isSlow) this.#paused.add(call);
    else if (call.credit > 0) Reply.drained(call.owner);
  }

  /** Calls the watcher: in order, and never within another of its calls. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      try {
        next();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#isTelling = false;
  }
}

function troubleOf(message: string, violation: Violation | undefined): Error {
  return violation === undefined ? new Error(message) : new Error(message, { cause: violation });
}

function isFinal(code: Refusal["code"]): boolean {
  return code === "DENIED" || code === "INCOMPATIBLE" || code === "REFUSED";
}

function newSocketId(prefix: string): string {
  return `${prefix}-${nanoid()}`;
}

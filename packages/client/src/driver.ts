// The shell's heart: takes inputs one at a time, performs what the session answers, and sets the alarm. It never asks
// what a message means. What happens while effects are performed (a caller's code may do anything) waits its turn.

import type { LossReason } from "@pigato/peer/session";
import {
  display,
  type Failure,
  type FromClient,
  peerIdFromText,
  RequestError,
  type RequestId,
  type ToClient,
  type Violation,
} from "@pigato/protocol";
import {
  type Alarm,
  DEFAULT_LINK_LIMITS,
  type DealerLink,
  type Frames,
  LinkError,
  type Refusal,
  type SendOptions,
} from "@pigato/transport";
import { nanoid } from "nanoid";
import type { Caller } from "./call.ts";
import type { ClientDialect, SessionPort } from "./dialect.ts";
import type { ResolvedOptions } from "./options.ts";
import type { RequestMessage } from "./session/calls.ts";
import type { Effect, Input, SessionEvent } from "./session/effects.ts";

/** Who watches a driver. */
export interface DriverWatcher {
  /** A link is being opened, under a new id. */
  onConnecting(): void;
  onConnected(): void;
  onDisconnected(reason: LossReason): void;
  /** The session has ended and every link is closed. */
  onStopped(): void;
  onError(error: Error): void;
  /**
   * The broker does not let this client in, or is not the right one. The link goes on trying.
   * @param isFinal it said so, and will again as long as neither changes
   */
  onKeptOut(error: LinkError, isFinal: boolean): void;
  /** A reply to a request that is not open. */
  onLate(requestId: RequestId): void;
}

type DriverOptions = Pick<
  ResolvedOptions,
  "prefix" | "transport" | "security" | "clock" | "logger" | "maxOpenRequests" | "dialect"
>;

const URGENT: SendOptions = Object.freeze({ urgent: true });

export class Driver {
  readonly #session: SessionPort<Caller>;
  readonly #wire: ReturnType<ClientDialect["newWire"]>;
  readonly #options: DriverOptions;
  readonly #watcher: DriverWatcher;
  readonly #alarm: Alarm;
  readonly #inputs: Input<Caller>[] = [];
  readonly #closing = new Set<Promise<void>>();
  #link: DealerLink | undefined;
  #socketId = "";
  /** What was told of last. A link that goes on trying is refused again and again; it is told once. */
  #lastRefusal: string | undefined;
  #isApplying = false;

  constructor(session: SessionPort<Caller>, options: DriverOptions, watcher: DriverWatcher) {
    this.#session = session;
    this.#wire = options.dialect.newWire();
    this.#options = options;
    this.#watcher = watcher;
    this.#alarm = options.clock.alarm(() => this.apply({ type: "tick" }));
  }

  /** The id of the present link, or of the last one; empty before the first. */
  get socketId(): string {
    return this.#socketId;
  }

  apply(input: Input<Caller>): void {
    if (this.#isApplying) {
      this.#inputs.push(input);
      return;
    }
    this.#isApplying = true;
    const { clock } = this.#options;
    for (let next: Input<Caller> | undefined = input; next !== undefined; next = this.#inputs.shift()) {
      for (const effect of this.#session.handle(next, clock.now())) this.#performGuarded(effect);
    }
    this.#isApplying = false;
    this.#alarm.set(this.#session.nextDeadline());
  }

  /** Tells a caller that its request failed; never from within the call that made it. */
  fail(caller: Caller, { service, requestId }: RequestMessage, failure: Failure): void {
    const request = { service: display(service), requestId: display(requestId) };
    queueMicrotask(() => caller.onFailure(new RequestError(failure, request)));
  }

  /** A callback or a listener that throws is an uncaught exception, but not the end of the effects behind it. */
  #performGuarded(effect: Effect<Caller>): void {
    try {
      this.#perform(effect);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #perform(effect: Effect<Caller>): void {
    switch (effect.type) {
      case "send":
        return this.#send(effect.message);
      case "final":
        return effect.caller.onFinal(effect.value);
      case "partial":
        return effect.caller.onPartial(effect.value);
      case "news":
        return effect.caller.onNews?.(effect.news);
      case "failed":
        return this.fail(effect.caller, effect.request, effect.failure);
      case "open":
        return this.#open(effect.address);
      case "close":
        return this.#close(effect.flush);
      case "connected":
        this.#options.logger.info("connected to the broker");
        return this.#watcher.onConnected();
      case "disconnected":
        this.#options.logger.warn({ reason: effect.reason }, "disconnected from the broker");
        return this.#watcher.onDisconnected(effect.reason);
      case "stopped":
        void Promise.all(this.#closing).then(() => this.#watcher.onStopped());
        return;
      case "report":
        return this.#report(effect.event);
      default:
        return effect satisfies never;
    }
  }

  #send(message: FromClient): void {
    const link = this.#link;
    if (link === undefined) return;
    const frames = this.#wire.encodeFromClient(message);
    if (frames === undefined) return;
    const options = message.type === "disconnect" || message.type === "credit" ? URGENT : undefined;
    const outcome = link.send(frames, options);
    switch (outcome) {
      case "queued":
      case "slow":
        return;
      case "congested":
      case "unreachable":
        if (message.type === "request") this.#inputs.push({ type: "refused", requestId: message.requestId });
        else if (message.type === "credit") this.#inputs.push({ type: "grant-refused", requestId: message.requestId });
        else this.#options.logger.debug({ message: message.type, outcome }, "a message was not sent");
        return;
      default:
        return outcome satisfies never;
    }
  }

  #open(address: string): void {
    const { transport, prefix, logger, maxOpenRequests, security } = this.#options;
    // All the requests that may be open may wait to be written, and what else there is to say besides.
    const maxQueuedMessages = Math.max(DEFAULT_LINK_LIMITS.maxQueuedMessages, 2 * maxOpenRequests);
    this.#socketId = `${prefix}-${nanoid()}`;
    const routingId = peerIdFromText(this.#socketId);
    logger.debug({ address, socketId: this.#socketId }, "connecting");
    try {
      // Every life of the connection has its own link: what an earlier one still says is not about this one.
      const link: DealerLink = transport.dealer(
        {
          onMessage: (frames) => {
            if (this.#link === link) this.#onMessage(link, this.#wire.decodeToClient(frames));
          },
          onUp: () => {
            if (this.#link !== link) return;
            this.#lastRefusal = undefined;
            this.apply({ type: "link-up" });
          },
          onDown: () => {
            if (this.#link === link) this.apply({ type: "link-lost", reason: "link-down" });
          },
          onUndelivered: (frames) => {
            if (this.#link === link) this.#onUndelivered(frames);
          },
          onRefused: (refusal) => {
            if (this.#link === link) this.#onRefused(refusal, address);
          },
          onError: (error) => {
            if (this.#link === link) this.#onLinkError(error, "link-down");
          },
        },
        { routingId, limits: { maxQueuedMessages }, security },
      );
      this.#link = link;
      link.connect(address);
    } catch (cause) {
      const error = new Error(`cannot connect to ${address}: ${String(cause)}`, { cause });
      this.#onLinkError(error, "unreachable");
    }
    this.#watcher.onConnecting();
  }

  /** Partial replies of one message are as many messages: after each, its caller may have given up. */
  #onMessage(link: DealerLink, message: ToClient | Violation): void {
    if (message.type !== "partials") return this.apply({ type: "message", message });
    const { requestId, chunks, options } = message;
    const trailer = [options];
    for (const chunk of chunks) {
      if (this.#link !== link) return;
      this.apply({ type: "message", message: { type: "partial", requestId, status: 0, body: [chunk], trailer } });
    }
  }

  #close(flush: boolean): void {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    const closing: Promise<void> = (flush ? link.close() : link.close(0))
      .catch((error: unknown) => this.#options.logger.warn({ error }, "a link did not close cleanly"))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #onUndelivered(frames: Frames): void {
    const message = this.#wire.decodeFromClient(frames);
    if (message.type === "request") this.apply({ type: "undelivered", requestId: message.requestId });
    else this.#options.logger.debug({ message: message.type }, "a message was not sent");
  }

  #onLinkError(error: Error, reason: LossReason): void {
    this.#options.logger.error({ error: error.message }, "the link failed");
    // The session first: a listener that throws must not leave it on a link that is gone.
    this.apply({ type: "link-lost", reason });
    this.#watcher.onError(error);
  }

  #onRefused({ code, detail, cause }: Refusal, address: string): void {
    const text = `the broker at ${address} refused us, or we refused it: ${code}, ${detail}`;
    this.#options.logger.warn({ address, code, detail }, "refused");
    if (this.#lastRefusal === text) return;
    this.#lastRefusal = text;
    this.#watcher.onKeptOut(new LinkError("REFUSED", text, { address, cause }), isFinal(code));
  }

  #report(event: SessionEvent): void {
    const { logger } = this.#options;
    switch (event.type) {
      case "late":
        logger.debug({ message: event.message, requestId: display(event.requestId) }, "a late reply");
        return this.#watcher.onLate(event.requestId);
      case "unsupported":
        return logger.warn({ message: event.message }, "the broker sent what was not negotiated");
      case "violation": {
        const { clause, detail } = event.violation;
        logger.warn({ clause, detail }, "the broker broke the protocol");
        return this.#watcher.onError(new Error(`the broker broke ${clause}: ${detail}`, { cause: event.violation }));
      }
      default:
        return event satisfies never;
    }
  }
}

function isFinal(code: Refusal["code"]): boolean {
  return code === "DENIED" || code === "INCOMPATIBLE" || code === "REFUSED";
}

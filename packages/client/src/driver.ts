// The client's shell: passes inputs to the session and performs its effects, without looking into messages. Callers are user
// code, so it calls them after all effects of an input.

import {
  bodyCodecs,
  connectionOptions,
  EffectLoop,
  guardedLogger,
  type Logger,
  nextTick,
  type PeerEvents,
  PeerRuntime,
  queueMicrotask,
  type RuntimeNotice,
} from "@pigato/peer";
import { type CallId, SlotTable } from "@pigato/peer/session";
import { display, type Frame, type FromClient, type RequestId, type ToClient, type Violation } from "@pigato/protocol";
import { type SizeBounds, violation } from "@pigato/protocol/internal";
import { DEFAULT_LINK_LIMITS, type Frames, type OversizedMessage, type SendOptions } from "@pigato/transport";
import { nanoid } from "nanoid";
import type { PacedCaller } from "./call.ts";
import type { ClientSettings } from "./options.ts";
import { callOf } from "./session/calls.ts";
import type { Effect, Input, RequestMessage, SessionEvent } from "./session/effects.ts";
import { errorOf, withObstacle } from "./session/failures.ts";

type CallerNotice = Extract<Effect, { readonly type: "partial" | "final" | "progress" }>;
type FailedEffect = Extract<Effect, { readonly type: "failed" }>;
type Notice = CallerNotice | RuntimeNotice | { readonly type: "late"; readonly requestId: RequestId };

export interface DriverEvents extends PeerEvents {
  /** A reply to a request that is not open. */
  late(requestId: RequestId): void;
}

const URGENT: SendOptions = Object.freeze({ urgent: true });

export class Driver {
  readonly runtime: PeerRuntime;
  readonly #link: PeerRuntime["link"];
  readonly #logger: Logger;
  readonly #wire: ClientSettings["speaker"]["wire"];
  readonly #events: DriverEvents;
  /** Of the open requests. */
  readonly #callers = new SlotTable<PacedCaller>();
  readonly #loop: EffectLoop<Input, Effect, Notice>;
  readonly #session: ReturnType<ClientSettings["speaker"]["newSession"]>;
  /** Whether sources of input are paused until the link has drained. */
  #isLinkSlow = false;

  constructor(addresses: readonly string[], settings: ClientSettings, events: DriverEvents) {
    this.#logger = guardedLogger(settings.logger);
    this.#events = events;
    this.#wire = settings.speaker.wire;
    const { clientId, prefix, maxOpenRequests } = settings;
    this.#session = settings.speaker.newSession({
      connection: connectionOptions(settings, addresses),
      limits: { ...settings, hasStableId: clientId !== undefined },
      stopTimeoutMs: settings.stopTimeoutMs,
      negotiate: settings.negotiate,
      sizeBounds: settings,
      codecs: bodyCodecs,
    });
    this.#loop = new EffectLoop<Input, Effect, Notice>(this.#session, this, settings.clock);
    // All open requests may wait in the link, and as many other messages.
    const maxQueuedMessages = Math.max(DEFAULT_LINK_LIMITS.maxQueuedMessages, 2 * maxOpenRequests);
    const newSocketId = (): string => clientId ?? `${prefix}-${nanoid()}`;
    const { maxFrameBytes, maxMessageBytes } = settings;
    const limits = { maxQueuedMessages, maxFrameBytes, maxMessageBytes };
    const options = { kind: "client", name: "a client", addresses, limits, newSocketId } as const;
    this.runtime = new PeerRuntime(
      this.#loop,
      { ...settings, ...options },
      {
        events,
        onMessage: (frames) => this.#onMessage(this.#wire.decodeToClient(frames)),
        onOversized: (message) => this.#onOversized(message),
        onUndelivered: (frames) => this.#onUndelivered(frames),
        onDrain: () => this.#onDrain(),
      },
    );
    this.#link = this.runtime.link;
  }

  /** See `Exchange`. */
  get knownBounds(): SizeBounds | undefined {
    return this.#session.knownBounds;
  }

  /** The number of the next request, for its id. */
  nextCall(): CallId {
    return this.#callers.nextId();
  }

  /** @param isPaced whether the caller uses flow control */
  open(message: RequestMessage, caller: PacedCaller, isPaced: boolean): void {
    const call = callOf(message.requestId);
    this.#callers.set(call, caller);
    const { input } = caller;
    if (input === undefined) this.#loop.apply({ type: "request", call, message, isPaced });
    else
      this.#loop.apply({ type: "request", call, message, isPaced, source: input.isReplayable ? "replayable" : "once" });
  }

  apply(input: Input): void {
    this.#loop.apply(input);
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case "send":
        return this.#send(effect.message);
      case "final":
      case "partial":
      case "progress":
        return this.#loop.notify(effect);
      case "failed":
        return this.#fail(effect);
      case "report-reads":
        return this.#callers.get(effect.call)?.reportReads?.(effect.after);
      case "pause-input":
        return this.#callers.get(effect.call)?.input?.pause();
      case "resume-input":
        return this.#callers.get(effect.call)?.input?.resume();
      case "restart-input":
        return this.#callers.get(effect.call)?.input?.restart();
      case "flush-soon":
        return nextTick(() => this.apply({ type: "input-flow", event: "flush" }));
      case "defer":
        return this.apply(effect.input);
      case "report":
        return this.#report(effect.event);
      case "open":
        this.#isLinkSlow = false;
        return this.runtime.perform(effect);
      default:
        return this.runtime.perform(effect);
    }
  }

  deliver(notice: Notice): void {
    switch (notice.type) {
      case "final": {
        const caller = this.#callers.take(notice.call);
        if (hasFields(notice.options)) caller?.onReplyOptions?.(notice.options, true);
        return caller?.onFinal(notice.value);
      }
      case "partial": {
        const caller = this.#callers.get(notice.call);
        if (hasFields(notice.options)) caller?.onReplyOptions?.(notice.options, false);
        return caller?.onPartial(notice.value);
      }
      case "progress":
        return this.#callers.get(notice.call)?.onProgress?.(notice.progress);
      case "late":
        return this.#events.late(notice.requestId);
      default:
        return this.runtime.deliver(notice);
    }
  }

  /** Never within the call that made the request, and after the partials that are still to be delivered. */
  #fail({ call, request, failure }: FailedEffect): void {
    const error = errorOf(request, withObstacle(failure, this.runtime.obstacle));
    queueMicrotask(() => this.#callers.take(call)?.onFailure(error));
  }

  #send(message: FromClient): void {
    const frames = this.#wire.encodeFromClient(message);
    if (frames === undefined) return;
    const options = message.type === "disconnect" || message.type === "credit" ? URGENT : undefined;
    const outcome = this.#link.send(frames, options);
    if (outcome === "slow" && message.type === "input") this.#onSlow();
    if (outcome !== "congested" && outcome !== "unreachable") return;
    if (message.type === "request" || message.type === "credit") {
      return this.apply({ type: "send-failed", message: message.type, requestId: message.requestId });
    }
    if (message.type === "input" || message.type === "input-end") {
      return this.apply({ type: "send-failed", message: "input", requestId: message.requestId });
    }
    this.#logger.debug({ message: message.type, outcome }, "a message was not sent");
  }

  #onSlow(): void {
    if (this.#isLinkSlow) return;
    this.#isLinkSlow = true;
    this.apply({ type: "input-flow", event: "link-slow" });
  }

  #onDrain(): void {
    if (!this.#isLinkSlow) return;
    this.#isLinkSlow = false;
    this.apply({ type: "input-flow", event: "link-drained" });
  }

  /** Applies the partials of one message one by one: after each, its caller may cancel, or the connection may end. */
  #onMessage(message: ToClient | Violation): void {
    if (message.type !== "partials") return this.apply({ type: "message", message });
    const { requestId, chunks, options } = message;
    const trailer = [options];
    const { socketId } = this.#link;
    for (const chunk of chunks) {
      if (this.#link.socketId !== socketId) break;
      this.apply({ type: "message", message: { type: "partial", requestId, status: 0, body: [chunk], trailer } });
    }
  }

  /** P-SIZE-2. */
  #onOversized({ frames, detail }: OversizedMessage): void {
    const message = this.#wire.decodeToClient(frames);
    const id = "requestId" in message ? message.requestId : undefined;
    this.apply({ type: "message", message: violation("P-SIZE-2", detail, id) });
  }

  #onUndelivered(frames: Frames): void {
    const message = this.#wire.decodeFromClient(frames);
    if (message.type === "request") this.apply({ type: "undelivered", requestId: message.requestId });
    else this.#logger.debug({ message: message.type }, "a message was not sent");
  }

  #report(event: SessionEvent): void {
    switch (event.type) {
      case "late":
        this.#logger.debug({ message: event.message, requestId: display(event.requestId) }, "a late reply");
        return this.#loop.notify({ type: "late", requestId: event.requestId });
      case "unsupported":
        return this.#logger.warn({ message: event.message }, "the broker sent a message that was not negotiated");
      case "violation": {
        const { clause, detail } = event.violation;
        this.#logger.warn({ clause, detail }, "the broker violated the protocol");
        const error = new Error(`the broker violated ${clause}: ${detail}`, { cause: event.violation });
        return this.#loop.notify({ type: "error", error, isFinal: false });
      }
      default:
        return event satisfies never;
    }
  }
}

/** Whether options are more than `{}`. */
function hasFields(options: Frame | undefined): options is Frame {
  return options !== undefined && options.length > 2;
}

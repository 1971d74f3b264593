// The worker's shell: passes inputs to the session and performs its effects, without looking into messages. It keeps the
// replies of the requests in flight. Handlers are user code, so it calls them after all effects of an input.

import { AsyncResource } from "node:async_hooks";
import {
  bodyCodecs,
  connectionOptions,
  EffectLoop,
  excessOfValue,
  nextTick,
  type PeerEvents,
  PeerRuntime,
  type RuntimeNotice,
} from "@pigato/peer";
import { type CallId, SlotTable } from "@pigato/peer/session";
import {
  type DisconnectReason,
  decodePayload,
  display,
  type Failure,
  type Frame,
  type FromWorker,
  NOT_JSON,
  RequestError,
  type ServiceName,
  writeText,
} from "@pigato/protocol";
import { type BodyCodecName, isNestedFailure, MALFORMED, reasonOf } from "@pigato/protocol/internal";
import { LinkError, type SendOptions } from "@pigato/transport";
import { nanoid } from "nanoid";
import { CODEC_FORMATS, DIALECTS, FRAMES_FORMAT, type ReplyFormat, type WorkerDialect } from "./dialect.ts";
import { limitOf, type WorkerSettings } from "./options.ts";
import { Reply } from "./reply.ts";
import { errorBody } from "./reply-body.ts";
import { type InputPort, ReplyInput } from "./reply-input.ts";
import type { ReplyPort } from "./reply-port.ts";
import { infoOf } from "./request-info.ts";
import type { Effect, Input, ServiceEffect, WorkerRequest } from "./session/effects.ts";
import { failureOf } from "./session/messages.ts";
import { Session } from "./session/session.ts";

type HandlerEffect = Extract<Effect, { readonly type: "run" | "drain" | "defer" | "input" | "input-end" }>;
type Notice = HandlerEffect | ServiceEffect | RuntimeNotice;
type RunEffect = Extract<Effect, { readonly type: "run" }>;

export interface DriverEvents extends PeerEvents {
  request(request: WorkerRequest, reply: Reply): void;
  /** Something happened to the services that `offer` added. */
  service?(effect: ServiceEffect): void;
}

/** The offered service, and the addresses of the brokers. */
export interface Offer {
  readonly service: ServiceName;
  readonly addresses: readonly string[];
}

const NO_OPTIONS: Frame = writeText("{}");
const URGENT: SendOptions = Object.freeze({ urgent: true });

/** P-DISC-6: only a worker that negotiates gets the reason. */
const NO_REASON =
  "the broker disconnected it without a reason, as it does if it stops, has too many workers, or serves this name itself; with negotiate, it says which";

export class Driver implements ReplyPort {
  readonly format: ReplyFormat;
  readonly runtime: PeerRuntime;
  readonly #wire: ReturnType<WorkerDialect["newWire"]>;
  readonly #name: ServiceName;
  /** The same as text. */
  readonly #service: string;
  readonly #events: DriverEvents;
  readonly #loop: EffectLoop<Input, Effect, Notice>;
  readonly #session: Session;
  /** Of the requests in flight. */
  readonly #replies = new SlotTable<Reply>();
  readonly #clock: WorkerSettings["clock"];
  #isLinkSlow = false;

  constructor({ service, addresses }: Offer, settings: WorkerSettings, events: DriverEvents) {
    const dialect = DIALECTS[settings.dialect];
    this.format = settings.allowLoss ? dialect.lossyFormat : dialect.format;
    this.#wire = dialect.newWire();
    this.#clock = settings.clock;
    this.#name = service;
    this.#service = display(service);
    this.#events = events;
    this.#session = new Session({
      ...settings,
      ...connectionOptions(settings, addresses),
      service,
      concurrency: limitOf(settings.concurrency),
      sizeBounds: settings,
      codecs: bodyCodecs.installed,
      ...(dialect.fixed && { fixed: dialect.fixed }),
    });
    this.#loop = new EffectLoop<Input, Effect, Notice>(this.#session, this, settings.clock);
    const { maxFrameBytes, maxMessageBytes } = settings;
    const limits = { maxFrameBytes, maxMessageBytes };
    const newSocketId = (): string => `${settings.prefix}-${nanoid()}`;
    this.runtime = new PeerRuntime(
      this.#loop,
      { ...settings, kind: "worker", name: `worker "${this.#service}"`, addresses, limits, newSocketId },
      {
        events,
        onMessage: (frames) => this.apply({ type: "message", message: this.#wire.decodeToWorker(frames) }),
        onOversized: ({ frames, detail }) => {
          this.apply({ type: "oversized", message: this.#wire.decodeToWorker(frames), detail });
        },
        onUndelivered: () => this.apply({ type: "undelivered" }),
        onDrain: () => this.#onDrain(),
      },
    );
  }

  apply(input: Input): void {
    this.#loop.apply(input);
  }

  excessOf(value: unknown, codec?: BodyCodecName): string | undefined {
    return excessOfValue(value, this.#session.requests.brokerBounds, codec);
  }

  /** Offers a further service on the same connection, if the broker takes several. `events.service` says whether it does. */
  offer(service: ServiceName): void {
    this.apply({ type: "offer", service });
  }

  report(error: Error): void {
    this.#loop.notify({ type: "error", error, isFinal: false });
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case "send":
        return this.#send(effect.message, effect.isUrgent);
      case "run":
        this.#replies.set(effect.call, this.#newReply(effect));
        return this.#loop.notify(effect);
      case "drain":
      case "services":
      case "service-accepted":
      case "service-refused":
        return this.#loop.notify(effect);
      case "pause":
        return Reply.pause(this.#replies.get(effect.call));
      case "input":
      case "input-end":
        return this.#loop.notify(effect);
      case "report-reads":
        return Reply.inputOf(this.#replies.get(effect.call))?.reportReads(effect.after);
      case "finished":
        return Reply.finish(this.#replies.take(effect.call));
      case "abort":
        return this.#abort(effect.call, effect.failure);
      case "flush-soon":
        return nextTick(() => this.apply({ type: "flush" }));
      case "defer":
        return effect.until === "sent" ? this.apply(effect.input) : this.#loop.notify(effect);
      case "registration-refused":
        return this.#onRegistrationRefused(effect.reason);
      case "report":
        return this.report(new Error(effect.message, effect.violation && { cause: effect.violation }));
      case "open":
        this.#isLinkSlow = false;
        return this.runtime.perform(effect);
      default:
        return this.runtime.perform(effect);
    }
  }

  deliver(notice: Notice): void {
    switch (notice.type) {
      case "run": {
        const reply = this.#replies.get(notice.call);
        if (reply === undefined) return;
        // A store that its handler enters must not reach the handlers of other requests.
        return new AsyncResource("PigatoRequest").runInAsyncScope(this.#onRequest, this, notice.request, reply);
      }
      case "drain":
        return Reply.drain(this.#replies.get(notice.call));
      case "services":
      case "service-accepted":
      case "service-refused":
        return this.#events.service?.(notice);
      case "input":
        return this.#addInput(notice.call, notice.chunks);
      case "input-end":
        return Reply.inputOf(this.#replies.get(notice.call))?.end();
      case "defer":
        return this.apply(notice.input);
      default:
        return this.runtime.deliver(notice);
    }
  }

  #onRequest(request: WorkerRequest, reply: Reply): void {
    try {
      reply.info = infoOf(request, this.#clock);
    } catch (error) {
      const message = `request ${display(request.requestId)} was refused: ${reasonOf(error)}`;
      return reply.error({ name: "RequestError", message, code: "INVALID" });
    }
    this.#events.request(request, reply);
  }

  #newReply(effect: RunEffect): Reply {
    const { call, request, hasInput } = effect;
    const reply = new Reply(this.#portFor(effect), call, request.requestId);
    Reply.setService(reply, request.service || this.#name);
    if (hasInput) Reply.setInput(reply, new ReplyInput(this.#inputPort(call, request)));
    return reply;
  }

  /** A chunk that cannot be decoded, or a listener that throws, ends the request for both sides. */
  #addInput(call: CallId, chunks: readonly Frame[]): void {
    const reply = this.#replies.get(call);
    try {
      Reply.inputOf(reply)?.add(chunks);
    } catch (error) {
      if (reply?.active() !== true) return;
      const failure = isNestedFailure(error) ? error : failureOf("WORKER_FAILED", reasonOf(error));
      Reply.abort(reply, failure, this.#service);
      const body = [errorBody(error, { hasBegun: true })];
      this.apply({ type: "final", call, status: -1, body, options: NO_OPTIONS });
    }
  }

  #inputPort(call: CallId, { requestId, options: { inputCodec } }: WorkerRequest): InputPort {
    return {
      onRead: (chunks) => this.apply({ type: "input-read", call, chunks }),
      decode(chunk) {
        const value = inputCodec === undefined ? decodePayload(chunk) : bodyCodecs.get(inputCodec).decode(chunk);
        if (value !== NOT_JSON && value !== MALFORMED) return value;
        const message = `a chunk of input of request ${display(requestId)} is not ${inputCodec ?? "JSON"}`;
        throw new RequestError({ code: "INVALID", message, delivery: "maybe-executed" });
      },
    };
  }

  #portFor({ request, codec }: RunEffect): ReplyPort {
    if (request.isFramed !== true && codec === undefined) return this;
    const format = codec === undefined ? FRAMES_FORMAT : CODEC_FORMATS[codec];
    return {
      format,
      excessOf: (value) => this.excessOf(value, codec),
      apply: (input) => this.apply(input),
      report: (error) => this.report(error),
    };
  }

  #send(message: FromWorker, isUrgent: boolean): void {
    const frames = this.#wire.encodeFromWorker(message);
    if (frames === undefined) return;
    const outcome = this.runtime.link.send(frames, isUrgent ? URGENT : undefined);
    if (outcome === "congested" || outcome === "unreachable") {
      this.apply({ type: "send-failed", message, isUrgent });
    } else if (outcome === "slow" && !this.#isLinkSlow) {
      this.#isLinkSlow = true;
      this.apply({ type: "link-slow" });
    }
  }

  /** A broker that stops is followed by another one, or starts again. */
  #onRegistrationRefused(reason: DisconnectReason | undefined): void {
    const { address } = this.runtime;
    const message = `cannot register a worker for "${this.#service}" at ${address}: ${reason?.message ?? NO_REASON}`;
    const isFinal = reason !== undefined && reason.code !== "CLOSED";
    this.runtime.onError(new LinkError("REFUSED", message, { address, cause: reason }), isFinal);
  }

  #onDrain(): void {
    this.#isLinkSlow = false;
    this.apply({ type: "link-drained" });
  }

  #abort(call: CallId, failure: Failure): void {
    Reply.abort(this.#replies.take(call), failure, this.#service);
  }
}

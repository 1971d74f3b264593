// The peers and requests of the model, known from inputs and effects alone. Nothing here reads the state of the core.

import {
  type Capabilities,
  type Delivery,
  type FailureCode,
  type Frame,
  type FromClient,
  NO_CAPABILITIES,
  type PeerId,
  type RequestId,
  type RequestOptions,
  type ServiceName,
} from "@pigato/protocol";
import { type Instant, MAX_CREDIT } from "@pigato/protocol/internal";
import type { ModelNames } from "./model-names.ts";

export type RequestMessage = FromClient & { readonly type: "request" };

export class ModelClient {
  readonly id: PeerId;
  capabilities: Capabilities = NO_CAPABILITIES;
  readonly open: Map<RequestId, ModelRequest> = new Map();
  /** When it reconnected, while it has time to repeat its requests. */
  reconnectedAt: Instant | undefined;

  constructor(id: PeerId) {
    this.id = id;
  }
}

/** A READY, the traits of its dialect, and the time. */
interface Registration {
  readonly id: PeerId;
  readonly service: ServiceName;
  readonly offer: Capabilities | undefined;
  readonly isSequential: boolean;
  readonly now: Instant;
  readonly settleMs: number;
  /** How long another socket may take to send a first heartbeat for it; 0 if none may. */
  readonly silenceMs: number;
}

/** A worker from its READY until it is gone. */
export class ModelWorker {
  readonly id: PeerId;
  /** The names that it offers. */
  readonly services: Set<ServiceName>;
  readonly takesServices: boolean;
  readonly offer: Capabilities | undefined;
  readonly takesCancel: boolean;
  readonly takesCredit: boolean;
  readonly takesInput: boolean;
  concurrency: number;
  /** When it may get its first request. */
  settledAt: Instant;
  /** It was disconnected or is out of reach: it must not get another request. */
  isClosed = false;
  /** Its connection refused a request, and it has sent nothing since. */
  isCongested = false;
  /** It has sent a heartbeat itself. */
  hasBeaten = false;
  readonly held: Map<string, ModelRequest> = new Map();
  readonly #acceptsUntil: Instant;
  #helper: PeerId | undefined;

  constructor({ id, service, offer, isSequential, now, settleMs, silenceMs }: Registration) {
    this.#acceptsUntil = now + silenceMs;
    this.id = id;
    this.services = new Set([service]);
    this.takesServices = offer?.services ?? false;
    this.offer = offer;
    this.takesCancel = offer?.cancel ?? false;
    this.takesCredit = offer?.credit ?? false;
    this.takesInput = offer?.duplex ?? false;
    this.concurrency = isSequential ? 1 : (offer?.concurrency ?? 100);
    this.settledAt = offer?.concurrency === undefined && !isSequential ? now + settleMs : now;
  }

  /** P-HB-5: whether a heartbeat for it counts. */
  acceptsFrom(helper: PeerId, now: Instant): boolean {
    if (this.hasBeaten && this.concurrency !== 1) return false;
    if (now < this.#acceptsUntil) this.#helper ??= helper;
    return this.#helper === helper;
  }
}

interface Arrival {
  readonly client: PeerId;
  readonly message: RequestMessage;
  readonly number: number;
  readonly now: Instant;
}

export class ModelRequest {
  readonly client: PeerId;
  readonly id: RequestId;
  readonly service: ServiceName;
  readonly options: RequestOptions;
  /** Identifies the request at a worker: this frame object, not an equal one. */
  readonly frame: Frame | undefined;
  /** Its place in the order of arrival. */
  number: number;
  /** Its key in the store. */
  key: string | undefined;
  isStoring = false;
  /** The store failed to take it. */
  isRefused = false;
  deadlineAt: Instant;
  /** Its deadline, which nothing restarts; `deadlineAt` is never later. */
  lastAt: Instant = Number.POSITIVE_INFINITY;
  /** Milliseconds that it may wait for a worker, each time. */
  acceptMs: number = Number.POSITIVE_INFINITY;
  /** Until when it may wait; `undefined` while it does not. */
  acceptAt: Instant | undefined;
  holder: ModelWorker | undefined;
  /** The service that its name led to when it was dispatched. */
  servedBy: ServiceName | undefined;
  address = "";
  readonly rejectedBy: Set<ModelWorker> = new Set();
  /** A lost worker may have run it. */
  mayHaveRun = false;
  /** How many workers were lost that may have run it. */
  lostWorkers = 0;
  /** Whether the worker that holds it received it; `undefined` while this is unknown. */
  isReceived: boolean | undefined;
  hasPartial = false;
  /** The held messages of its reply, and those that were sent and not confirmed. */
  heldLines: { readonly line: string; readonly isNull: boolean }[] = [];
  sentLines: string[] = [];
  /** Its reply is complete. */
  isReplyComplete = false;
  /** The address that the shell confirms when the connection took the reply. */
  confirmation: string | undefined;
  /** Why its reply cannot be delivered whole. */
  loss: "BUSY" | "BROKER_LOST" | undefined;
  /** Its reply was dropped. */
  isDropped = false;
  /** Its first grant and the grants while it waited; `MAX_CREDIT` without flow control. */
  credit: number = MAX_CREDIT;
  /** Its streamed input: how many chunks its client may send. */
  input: { credit: number; isGranted: boolean; hasEnded: boolean } | undefined;

  constructor({ client, message, number, now }: Arrival) {
    this.client = client;
    this.id = message.requestId;
    this.service = message.service;
    this.options = message.options;
    this.frame = message.body[0];
    this.number = number;
    this.deadlineAt = now + message.options.timeoutMs;
  }

  restartTimeout(now: Instant): void {
    this.deadlineAt = Math.min(now + this.options.timeoutMs, this.lastAt);
  }

  /** Whether this worker may get it. */
  mayGoTo(worker: ModelWorker, names: ModelNames): boolean {
    const { worker: target } = this.options;
    if (this.isReplyComplete || this.isStoring || this.rejectedBy.has(worker)) return false;
    const { services } = worker;
    if (target !== undefined) {
      return target === worker.id && [...services].some((offered) => names.mayServe(offered, this.service));
    }
    const served = names.servedAs(this.service);
    return served !== undefined && services.has(served);
  }

  /** Whether it waits for a worker. */
  get isWaiting(): boolean {
    return this.holder === undefined && !this.isStoring && !this.isReplyComplete && this.confirmation === undefined;
  }

  /** Whether another worker may get it. */
  get canStartOver(): boolean {
    return !this.hasPartial && this.input?.isGranted !== true;
  }

  /** The delivery class of its failure: whether it may have run. */
  delivery(): Delivery {
    if (this.isRefused) return "not-sent";
    if (this.mayHaveRun || (this.holder !== undefined && this.isReceived !== false)) return "maybe-executed";
    return this.rejectedBy.size > 0 ? "dispatched" : "queued";
  }

  release(): void {
    this.holder?.held.delete(this.address);
    this.holder = undefined;
  }
}

/** A failure that its client must get. */
export interface OwedFailure {
  readonly client: PeerId;
  readonly id: RequestId;
  readonly code: FailureCode;
  readonly delivery: Delivery;
}

/** Throws if an invariant does not hold. */
export function invariant(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`broken invariant: ${otherwise}`);
}

// What an observer knows of peers and their requests, from inputs and effects alone. Nothing here looks into the core.

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
  /** Since when it is back, while it has time to ask again. */
  backAt: Instant | undefined;

  constructor(id: PeerId) {
    this.id = id;
  }
}

/** A worker from its READY until it is gone. */
export class ModelWorker {
  readonly id: PeerId;
  readonly service: ServiceName;
  readonly takesCancel: boolean;
  readonly takesCredit: boolean;
  concurrency: number;
  /** When it may get its first request. */
  settledAt: Instant;
  /** Told to go, or out of reach: nothing may be sent to it any more. */
  isClosed = false;
  /** Its connection refused a request, and it has not been heard since. */
  isCongested = false;
  readonly held: Map<string, ModelRequest> = new Map();

  constructor(
    id: PeerId,
    service: ServiceName,
    offer: Capabilities | undefined,
    isSequential: boolean,
    now: Instant,
    settleMs: number,
  ) {
    this.id = id;
    this.service = service;
    this.takesCancel = offer?.cancel ?? false;
    this.takesCredit = offer?.credit ?? false;
    this.concurrency = isSequential ? 1 : (offer?.concurrency ?? 100);
    this.settledAt = offer?.concurrency === undefined && !isSequential ? now + settleMs : now;
  }
}

export class ModelRequest {
  readonly client: PeerId;
  readonly id: RequestId;
  readonly service: ServiceName;
  readonly options: RequestOptions;
  /** By which it is known again at a worker: the very frame, not one like it. */
  readonly frame: Frame | undefined;
  /** Its place in the order of arrival. */
  number: number;
  /** The key under which the store has it, or is about to. */
  key: string | undefined;
  isStoring = false;
  /** The store failed to take it. */
  isRefused = false;
  deadlineAt: Instant;
  holder: ModelWorker | undefined;
  address = "";
  readonly rejectedBy: Set<ModelWorker> = new Set();
  /** A worker was lost that had it. */
  mayHaveRun = false;
  /** Whether the worker that holds it got it, as far as anybody has said. */
  isReceived: boolean | undefined;
  hasPartial = false;
  /** What is held of its answer, and what went out of it and may not have come through. */
  awaited: { readonly line: string; readonly isNull: boolean }[] = [];
  given: string[] = [];
  /** Its answer is complete. */
  isAnswered = false;
  /** By which the shell is to say that its answer came through. */
  confirmation: string | undefined;
  /** Why its answer cannot be whole. */
  loss: "BUSY" | "BROKER_LOST" | undefined;
  /** Nobody gets its answer. */
  isDropped = false;
  /** Its first grant, and what was granted while it waited; `MAX_CREDIT` where its reply is not paced. */
  credit: number = MAX_CREDIT;

  constructor(client: PeerId, message: RequestMessage, number: number, now: Instant) {
    this.client = client;
    this.id = message.requestId;
    this.service = message.service;
    this.options = message.options;
    this.frame = message.body[0];
    this.number = number;
    this.deadlineAt = now + message.options.timeoutMs;
  }

  /** Whether this worker might be given it. */
  suits(worker: ModelWorker, names: ModelNames): boolean {
    const { worker: target } = this.options;
    if (this.isAnswered || this.isStoring || this.rejectedBy.has(worker)) return false;
    if (target !== undefined) return target === worker.id && names.mayServe(worker.service, this.service);
    return names.servedAs(this.service) === worker.service;
  }

  /** What its client is to be told of whether it ran. */
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

/** A failure that its client is to be told. */
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

// What a worker's session needs to know before it starts, and what it offers to a broker.

import type { ConnectionOptions, Negotiation } from "@pigato/peer/session";
import type { Capabilities, ServiceName } from "@pigato/protocol";
import {
  announcedBounds,
  type BodyCodecName,
  DEFAULT_SIZE_BOUNDS,
  offerOf,
  type SizeBounds,
} from "@pigato/protocol/internal";
import type { WorkerRequest } from "./effects.ts";
import type { InFlightOptions } from "./in-flight.ts";

export interface SessionOptions extends ConnectionOptions, InFlightOptions {
  readonly service: ServiceName;
  /** The maximum number of concurrent requests; `Infinity` for no limit. */
  readonly concurrency: number;
  /** Requests in flight above which further requests are rejected, unless `concurrency` is higher. */
  readonly maxInFlight: number;
  /** Milliseconds that running requests may continue after `stop`; with 0 the worker leaves at once. */
  readonly stopTimeoutMs: number;
  /**
   * Whether the broker answers READY and heartbeats, as PIGATO does. A Majordomo broker does not, may be silent while a request
   * runs, and accepts no rejections (D-PEER-6).
   */
  readonly brokerAnswers: boolean;
  /** What every broker of the dialect can do, in a dialect that negotiates nothing. */
  readonly fixed?: Capabilities;
  readonly negotiate: Negotiation;
  /** Whether its handler reads the method of a request from the options (P-CALL-1). */
  readonly methods?: boolean;
  /** What this worker accepts. */
  readonly sizeBounds?: SizeBounds;
  /** Codecs besides JSON, if it has any. */
  readonly codecs?: readonly BodyCodecName[];
}

/** What the worker offers to a broker. */
export function offerIn(options: SessionOptions, concurrency: number): Capabilities {
  const { heartbeatMs, methods = false, sizeBounds = DEFAULT_SIZE_BOUNDS, codecs = [] } = options;
  return offerOf("worker", { heartbeatMs, concurrency, codecs, methods, ...announcedBounds(sizeBounds) });
}

/**
 * P-TAG-4: the request without the tags that were not negotiated. A broker that does not know them passes on every frame of a client, also
 * one that looks like a tag that only a broker may write.
 */
export function trusted(request: WorkerRequest, { deadline, headers }: Capabilities): WorkerRequest {
  const { deadlineMs, caller, attempt, hasHeaders } = request;
  const hasFacts = caller !== undefined || attempt !== undefined || hasHeaders === true;
  if ((deadline || deadlineMs === undefined) && (headers || !hasFacts)) return request;
  const withDeadline = { ...request, deadlineMs: deadline ? deadlineMs : undefined };
  return headers ? withDeadline : { ...withDeadline, caller: undefined, attempt: undefined, hasHeaders: false };
}

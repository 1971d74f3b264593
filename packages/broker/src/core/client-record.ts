// What the broker knows of a client.

import { type Capabilities, NO_CAPABILITIES, type PeerId } from "@pigato/protocol";
import {
  type Deadline,
  type DialectTraits,
  type HeartbeatTiming,
  type Instant,
  type SizeBounds,
  UNKNOWN_TIMING,
} from "@pigato/protocol/internal";
import type { DialectId } from "./effects.ts";
import type { HeartbeatLease } from "./heartbeat-lease.ts";
import type { ClientLinks, ClientRequests } from "./open-requests.ts";
import type { Timer } from "./timer.ts";

/** Usage of the held replies to persistent requests of one client (held-reply-table.ts). */
export interface HeldUsage {
  replies: number;
  bytes: number;
  /** Set while a reconnected client has time to repeat its requests. */
  readonly timer: Deadline<Timer>;
}

/** How many of the open requests of a client are stored, or are being stored, and their bytes. */
export interface StoredUsage {
  requests: number;
  bytes: number;
}

/** Generic so that requests may refer to clients and clients to requests; queued-request.ts defines the only instance. */
export class ClientRecordOf<Request extends ClientLinks<Request>> implements HeartbeatLease {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly requests: ClientRequests<Request>;
  readonly stored: StoredUsage = { requests: 0, bytes: 0 };
  capabilities: Capabilities = NO_CAPABILITIES;
  /** The identity of the client, if its connection is authenticated (P-TAG-4). */
  identity: string | undefined;
  /** What it accepts, if it announced less than the broker accepts (P-SIZE-1). */
  bounds: SizeBounds | undefined;
  /** Whether it is gone and has open persistent requests. */
  isAway = false;
  /** `undefined` until a reply is held for it. */
  held: HeldUsage | undefined;
  /** The known interval of its heartbeats. */
  timing: HeartbeatTiming = UNKNOWN_TIMING;
  /** When its last heartbeat came. */
  heartbeatAt: Instant | undefined;
  /** Milliseconds of silence that count as one interval. */
  leaseMs: number;
  receivedAt: Instant = 0;
  bytesAt: Instant = 0;
  promptedAt: Instant = 0;
  missed = 0;
  readonly lease: Deadline<Timer>;
  /** Runs instead of the lease while it is away. */
  readonly awayLease: Deadline<Timer>;

  constructor(init: ClientInit<Request>) {
    this.id = init.id;
    this.dialect = init.dialect;
    this.traits = init.traits;
    this.requests = init.requests;
    this.leaseMs = init.leaseMs;
    this.lease = init.lease;
    this.awayLease = init.awayLease;
  }
}

export interface ClientInit<Request extends ClientLinks<Request>> {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly requests: ClientRequests<Request>;
  readonly leaseMs: number;
  readonly lease: Deadline<Timer>;
  readonly awayLease: Deadline<Timer>;
}

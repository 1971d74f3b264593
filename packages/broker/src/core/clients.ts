// Clients that the broker knows. One that announced how often it sends heartbeats, or that was seen to send them, is
// given up when it falls silent, and with it the interest in its requests. Any other promised nothing: it is only
// forgotten, once it has nothing open and has not been heard of for a while. One that has stored requests open is only
// away: its record waits for it to come back under its id.

import type { Capabilities, Deadlines, Instant, PeerId } from "@pigato/protocol";
import {
  intervalOf,
  learnRhythm,
  MAX_HEARTBEAT_MS,
  NO_CAPABILITIES,
  pigato,
  type Rhythm,
  UNKNOWN_RHYTHM,
} from "@pigato/protocol";
import { type CoreOptions, traitsOf } from "./core-options.ts";
import type { ClientDownReason, DialectId } from "./effects.ts";
import { countSilence, noteHeard, startLease } from "./lease.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { Client, type Due, type Request } from "./records.ts";
import type { Requests } from "./requests.ts";

/** Milliseconds after which a client that keeps no interval and has nothing open is forgotten. */
const IDLE_MS = 60_000;

export class Clients {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  readonly #open: OpenRequests;
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #byId = new Map<PeerId, Client>();
  /** Those that are gone and have requests that the store keeps: these are run all the same. */
  readonly #away = new Map<PeerId, Client>();

  constructor(options: CoreOptions, deadlines: Deadlines<Due>, open: OpenRequests, requests: Requests, outbox: Outbox) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#open = open;
    this.#requests = requests;
    this.#outbox = outbox;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: PeerId): Client | undefined {
    return this.#byId.get(id);
  }

  /** Also those that are gone and have something open. */
  *values(): IterableIterator<Client> {
    yield* this.#byId.values();
    yield* this.#away.values();
  }

  /** The client's record, whether it is there or not. */
  record(id: PeerId, dialect: DialectId): Client | undefined {
    return this.#byId.get(id) ?? this.#awayAs(id, dialect);
  }

  /** A record to answer a client by, which is not remembered. */
  stranger(id: PeerId, dialect: DialectId): Client {
    return new Client(id, dialect, traitsOf(this.#options, dialect), IDLE_MS, this.#open, this.#deadlines);
  }

  /** The client's record, made if there is none; `undefined` at the bound. */
  require(id: PeerId, dialect: DialectId, now: Instant): Client | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const away = this.#awayAs(id, dialect);
    // One that has something open here is within the bound of requests, and must not be told of them as a stranger.
    if (away === undefined && this.#byId.size >= this.#options.maxClients) return undefined;
    const client = away ?? this.stranger(id, dialect);
    this.#byId.set(id, client);
    startLease(client, client.leaseMs, this.#deadlines, now);
    this.#outbox.report({ type: "client-up", client: id });
    if (away !== undefined) {
      this.#away.delete(id);
      away.isAway = false;
      this.#requests.answers.resume(away, now);
    }
    return client;
  }

  /** The record of a client whose request was in the store: it may come back under its old id. */
  absent(id: PeerId, now: Instant): Client {
    // No other dialect can ask for a request to be stored.
    const here = this.#byId.get(id);
    const known = here?.dialect === pigato.id ? here : this.#away.get(id);
    if (known !== undefined) return known;
    const client = this.stranger(id, pigato.id);
    this.#keepAway(client, now);
    return client;
  }

  negotiate(client: Client, shared: Capabilities, intervalMs: number | undefined, now: Instant): void {
    client.capabilities = shared;
    // P-NEG-4: whoever offers sends heartbeats. To forget one for being idle would take from it what it negotiated.
    this.#judgeBy({ ...client.rhythm, announcedMs: intervalMs ?? MAX_HEARTBEAT_MS }, client, now);
  }

  /** A heartbeat about nothing but the client itself: two of them show an interval. */
  onHeartbeat(client: Client, now: Instant): void {
    const pause = client.heartbeatAt === undefined ? undefined : now - client.heartbeatAt;
    client.heartbeatAt = now;
    const rhythm = learnRhythm(client.rhythm, pause);
    if (rhythm !== client.rhythm) this.#judgeBy(rhythm, client, now);
  }

  /** Any sign of life. */
  onHeard(client: Client, now: Instant): void {
    noteHeard(client, now);
  }

  /** Its lease has come: it may have been silent. */
  onLease(client: Client, now: Instant): void {
    if (client.isAway) {
      if (client.requests.size === 0) this.#away.delete(client.id);
      else this.#keepAway(client, now);
      return;
    }
    const missed = countSilence(client, client.leaseMs, this.#deadlines, now);
    if (missed === 0) return;
    if (!isJudged(client.rhythm)) {
      if (client.requests.size === 0) this.lose(client, "idle", now);
    } else if (missed >= this.#options.heartbeatLiveness) this.lose(client, "silent", now);
  }

  /** A client is gone: nobody waits for its requests any more, but for those that the store keeps. */
  lose(client: Client, reason: ClientDownReason, now: Instant): void {
    this.#byId.delete(client.id);
    this.#deadlines.clear(client.lease);
    this.#outbox.report({ type: "client-down", client: client.id, reason });
    const unwanted: Request[] = [];
    for (const request of client.requests) {
      if (request.options.persist) this.#requests.stopPacing(request);
      else unwanted.push(request);
    }
    this.#requests.cancelAll(unwanted);
    if (client.requests.size === 0) return;
    this.#keepAway(client, now);
    this.#requests.answers.suspend(client, now);
  }

  /** One that comes back under its id and speaks another way is somebody else. */
  #awayAs(id: PeerId, dialect: DialectId): Client | undefined {
    const away = this.#away.get(id);
    return away?.dialect === dialect ? away : undefined;
  }

  #keepAway(client: Client, now: Instant): void {
    client.isAway = true;
    // If it comes back, it comes back as one that has negotiated nothing yet.
    client.capabilities = NO_CAPABILITIES;
    client.rhythm = UNKNOWN_RHYTHM;
    client.heartbeatAt = undefined;
    client.leaseMs = IDLE_MS;
    this.#away.set(client.id, client);
    startLease(client, IDLE_MS, this.#deadlines, now);
  }

  #judgeBy(rhythm: Rhythm, client: Client, now: Instant): void {
    client.rhythm = rhythm;
    if (!isJudged(rhythm)) return;
    const intervalMs = intervalOf(rhythm, this.#options.heartbeatMs);
    if (intervalMs === client.leaseMs) return;
    client.leaseMs = intervalMs;
    startLease(client, intervalMs, this.#deadlines, now);
  }
}

/** P-LIVE-3: whether its silence says anything. A single heartbeat shows no interval. */
function isJudged({ announcedMs, seenMs }: Rhythm): boolean {
  return announcedMs !== undefined || seenMs !== undefined;
}

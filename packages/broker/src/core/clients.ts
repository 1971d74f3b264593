// Clients that the broker knows. A client that announced a heartbeat interval, or was seen to keep one, counts as gone when
// it falls silent, and its requests are canceled. Any other client is only forgotten, once it is idle and has nothing open.
// A client with persistent requests open is away instead of gone: its record waits for it to reconnect under its id.

import { type Capabilities, NO_CAPABILITIES, type PeerId, pigato } from "@pigato/protocol";
import {
  type HeartbeatTiming,
  type Instant,
  intervalOf,
  lowerBoundsIn,
  MAX_CREDIT,
  MAX_HEARTBEAT_MS,
  observeHeartbeat,
  UNKNOWN_TIMING,
} from "@pigato/protocol/internal";
import { ClientRecordOf } from "./client-record.ts";
import type { ClientDownReason, DialectId } from "./effects.ts";
import { cancelRequests } from "./fail-request.ts";
import { countSilence, startLease } from "./heartbeat-lease.ts";
import { holdForAwayClient, waitForRepeats } from "./held-replies.ts";
import { ClientRequests } from "./open-requests.ts";
import type { ClientRecord, QueuedRequest } from "./queued-request.ts";
import { type CoreState, traitsOf } from "./state.ts";

/** Milliseconds after which a client that keeps no interval and has nothing open is forgotten. */
const IDLE_MS = 60_000;

/** The client's record, whether the client is present or away. */
export function knownClient(state: CoreState, id: PeerId, dialect: DialectId): ClientRecord | undefined {
  return state.clients.get(id) ?? awayAs(state, id, dialect);
}

/** A record by which to answer a client that the broker does not remember. */
export function newClient(state: CoreState, id: PeerId, dialect: DialectId): ClientRecord {
  const { open, timers } = state;
  return new ClientRecordOf<QueuedRequest>({
    id,
    dialect,
    traits: traitsOf(state, dialect),
    requests: new ClientRequests(open.ids, open.newSalt()),
    leaseMs: IDLE_MS,
    lease: timers.entry({ kind: "client-lease", client: id }),
    awayLease: timers.entry({ kind: "away-lease", client: id }),
  });
}

/** The record of a client that is present, created if there is none; `undefined` at the bound. */
export function requireClient(
  state: CoreState,
  id: PeerId,
  dialect: DialectId,
  now: Instant,
): ClientRecord | undefined {
  const known = state.clients.get(id);
  if (known !== undefined) return known;
  const away = awayAs(state, id, dialect);
  // An away client counts toward the bound of requests, and must not be answered as an unknown one.
  if (away === undefined && state.clients.size >= state.options.maxClients) return undefined;
  const client = away ?? newClient(state, id, dialect);
  client.identity = state.identities.get(id);
  state.clients.set(id, client);
  startLease(client, client.leaseMs, state.timers, now);
  state.effects.report({ type: "client-up", client: id });
  if (away !== undefined) {
    state.awayClients.delete(id);
    state.timers.clear(away.awayLease);
    away.isAway = false;
    waitForRepeats(state, away, now);
  }
  return client;
}

/** The record of a client whose request was in the store: it may reconnect under its old id. */
export function restoredClient(state: CoreState, id: PeerId, now: Instant): ClientRecord {
  // No other dialect can ask for a request to be stored.
  const present = state.clients.get(id);
  const known = present?.dialect === pigato.id ? present : state.awayClients.get(id);
  if (known !== undefined) return known;
  const client = newClient(state, id, pigato.id);
  keepAway(state, client, now);
  return client;
}

export function negotiate(
  state: CoreState,
  client: ClientRecord,
  { shared, offer }: { readonly shared: Capabilities; readonly offer: Capabilities },
  now: Instant,
): void {
  client.capabilities = shared;
  client.bounds = lowerBoundsIn(offer, state.options);
  // P-NEG-4: a client that made an offer sends heartbeats. If it were forgotten when idle, its negotiated capabilities would be
  // lost.
  setTiming(state, client, { ...client.timing, announcedMs: offer.heartbeatMs ?? MAX_HEARTBEAT_MS }, now);
}

/** A heartbeat about nothing but the client itself: two of them show an interval. */
export function onClientHeartbeat(state: CoreState, client: ClientRecord, now: Instant): void {
  const pauseMs = client.heartbeatAt === undefined ? undefined : now - client.heartbeatAt;
  client.heartbeatAt = now;
  const timing = observeHeartbeat(client.timing, pauseMs);
  if (timing !== client.timing) setTiming(state, client, timing, now);
}

/** The lease of a present client expired: it may have been silent. */
export function onClientLease(state: CoreState, client: ClientRecord, now: Instant): void {
  const missed = countSilence(client, client.leaseMs, state.timers, now);
  if (missed === 0) return;
  if (!isJudged(client.timing)) {
    if (client.requests.size === 0) loseClient(state, client, "idle", now);
  } else if (missed >= state.options.heartbeatLiveness) loseClient(state, client, "silent", now);
}

/** The lease of an away client expired: the broker forgets it unless requests are still open. */
export function onAwayLease(state: CoreState, client: ClientRecord, now: Instant): void {
  if (client.requests.size === 0) state.awayClients.delete(client.id);
  else keepAway(state, client, now);
}

/** A client is gone: its requests are canceled, except persistent ones. */
export function loseClient(state: CoreState, client: ClientRecord, reason: ClientDownReason, now: Instant): void {
  state.clients.delete(client.id);
  state.timers.clear(client.lease);
  state.effects.report({ type: "client-down", client: client.id, reason });
  const unwanted: QueuedRequest[] = [];
  for (const request of client.requests) {
    if (request.options.persist) liftFlowControl(state, request);
    else unwanted.push(request);
  }
  cancelRequests(state, unwanted);
  if (client.requests.size === 0) return;
  keepAway(state, client, now);
  holdForAwayClient(state, client, now);
}

/** The client is gone, but the request is persistent, so its worker must not wait for grants. */
function liftFlowControl(state: CoreState, request: QueuedRequest): void {
  if (!request.isPaced) return;
  request.credit = MAX_CREDIT;
  state.effects.grant(request, MAX_CREDIT);
}

/** A client that reconnects under the same id in another dialect is another client. */
function awayAs({ awayClients }: CoreState, id: PeerId, dialect: DialectId): ClientRecord | undefined {
  const away = awayClients.get(id);
  return away?.dialect === dialect ? away : undefined;
}

function keepAway(state: CoreState, client: ClientRecord, now: Instant): void {
  client.isAway = true;
  // When it reconnects, it has negotiated nothing yet.
  client.capabilities = NO_CAPABILITIES;
  client.timing = UNKNOWN_TIMING;
  client.heartbeatAt = undefined;
  client.leaseMs = IDLE_MS;
  state.awayClients.set(client.id, client);
  state.timers.set(client.awayLease, IDLE_MS, now);
}

function setTiming(state: CoreState, client: ClientRecord, timing: HeartbeatTiming, now: Instant): void {
  client.timing = timing;
  if (!isJudged(timing)) return;
  const intervalMs = intervalOf(timing, state.options.heartbeatMs);
  if (intervalMs === client.leaseMs) return;
  client.leaseMs = intervalMs;
  startLease(client, intervalMs, state.timers, now);
}

/** P-LIVE-3: whether the client keeps a known heartbeat interval. A single heartbeat shows none. */
function isJudged({ announcedMs, seenMs }: HeartbeatTiming): boolean {
  return announcedMs !== undefined || seenMs !== undefined;
}

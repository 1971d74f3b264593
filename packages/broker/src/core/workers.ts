// Registered workers: registration, heartbeats and loss. Decides what happens to the requests of a lost worker: requeued if
// they have `retry` or never reached it, failed at once otherwise. A request that may be why its workers die is requeued only
// a few times (P-LOST-3).

import { type Capabilities, type FromWorker, type PeerId, pigato, type ServiceName } from "@pigato/protocol";
import { type Instant, intervalOf, lowerBoundsIn, observeHeartbeat } from "@pigato/protocol/internal";
import { ASSUMED_CONCURRENCY } from "./core-options.ts";
import { noteDirectoryChange } from "./directory.ts";
import { disconnectWith, lossReason } from "./disconnect-reason.ts";
import { remove, serve, setWorkerState } from "./dispatch.ts";
import type { DialectId, WorkerDownReason } from "./effects.ts";
import { closeUnserved, failRequest } from "./fail-request.ts";
import { aliveAt, countSilence, noteReceived, startLease } from "./heartbeat-lease.ts";
import { MAX_LISTENERS, peerAtListener, shownPeer } from "./peer-names.ts";
import { storeLoss } from "./persistence.ts";
import type { QueuedRequest, Registration, Service, WorkerRecord } from "./queued-request.ts";
import { failRejected, placeOrFail, resumeService } from "./requeue.ts";
import { type CoreState, traitsOf } from "./state.ts";
import { WorkerRecordOf } from "./worker-record.ts";

/** The READY of a new worker, and what it negotiated. */
interface NewWorker {
  readonly id: PeerId;
  readonly dialect: DialectId;
  /** Where it connects from, if that is known. */
  readonly host: string | undefined;
  readonly message: FromWorker & { readonly type: "ready" };
  readonly capabilities: Capabilities;
}

/** The worker that a client names by a routing id, at whichever listener; the first listener's first. */
export function workerNamed({ workers }: CoreState, id: PeerId): WorkerRecord | undefined {
  let worker = workers.get(id);
  for (let listener = 1; worker === undefined && listener < MAX_LISTENERS; listener++)
    worker = workers.get(peerAtListener(listener, id));
  return worker;
}

/** Adds a new worker. It gets no request before its concurrency is known, so that even the first ones respect it. */
export function registerWorker(
  state: CoreState,
  { id, dialect, host, message: { service: name, offer }, capabilities }: NewWorker,
  now: Instant,
): void {
  const { timers, options } = state;
  const service = state.services.open(name);
  const traits = traitsOf(state, dialect);
  const isClassic = dialect === pigato.id && offer === undefined;
  const until = now + options.heartbeatLiveness * options.heartbeatMs;
  const worker: WorkerRecord = new WorkerRecordOf<QueuedRequest>({
    id,
    dialect,
    traits,
    service,
    capabilities,
    processHeartbeats: isClassic ? { host, until, sender: undefined } : undefined,
    lease: timers.entry({ kind: "worker-lease", worker: id }),
    settling: timers.entry({ kind: "worker-settling", worker: id }),
  });
  const concurrency = traits.isSequential ? 1 : offer?.concurrency;
  worker.concurrency = concurrency ?? ASSUMED_CONCURRENCY;
  worker.bounds = offer && lowerBoundsIn(offer, options);
  worker.timing = { ...worker.timing, announcedMs: offer?.heartbeatMs };
  state.workers.set(id, worker);
  addRegistration(state, worker.first);
  startLease(worker, intervalOf(worker.timing, options.heartbeatMs), timers, now);
  if (concurrency === undefined) timers.set(worker.settling, options.settleMs, now);
  else settleWorker(state, worker);
}

/** P-READY-4: a registered worker offers a service, perhaps one that it offers already. Its free slots serve that one, too. */
export function offerService(state: CoreState, worker: WorkerRecord, name: ServiceName): void {
  const service = state.services.open(name);
  if (service.workers.has(worker)) return;
  // It is listed again after the new service had its turn.
  if (worker.state === "available") setWorkerState(worker, "full");
  addRegistration(state, worker.add(service));
  serve(state, worker);
}

function addRegistration(state: CoreState, registration: Registration): void {
  const { worker, service } = registration;
  service.workers.set(worker, registration);
  state.registrations += 1;
  noteDirectoryChange(state);
  state.effects.report({ type: "worker-up", worker: worker.id, service: service.name });
}

/** Its concurrency is known, or has been waited for long enough. */
export function settleWorker(state: CoreState, worker: WorkerRecord): void {
  state.timers.clear(worker.settling);
  if (worker.state === "settling") setWorkerState(worker, "full");
  serve(state, worker);
}

/** Any message of a worker proves that it is alive, and that its connection works. */
export function onWorkerReceived(state: CoreState, worker: WorkerRecord, now: Instant): void {
  noteReceived(worker, now);
  if (worker.state === "congested") onCongestionEnded(state, worker);
}

/** A worker reads again whose connection was full. */
export function onCongestionEnded(state: CoreState, worker: WorkerRecord): void {
  setWorkerState(worker, "full");
  serve(state, worker);
}

export function onWorkerHeartbeat(
  state: CoreState,
  worker: WorkerRecord,
  concurrency: number | undefined,
  now: Instant,
): void {
  const pauseMs = worker.heartbeatAt === undefined ? undefined : now - worker.heartbeatAt;
  worker.heartbeatAt = now;
  worker.timing = observeHeartbeat(worker.timing, pauseMs);
  if (concurrency !== undefined) worker.concurrency = concurrency;
  onWorkerReceived(state, worker, now);
  settleWorker(state, worker);
}

/** The lease of a worker ran out: it may have been silent. */
export function onWorkerLease(state: CoreState, worker: WorkerRecord, now: Instant): void {
  const { heartbeatMs, heartbeatLiveness } = state.options;
  const missed = countSilence(worker, intervalOf(worker.timing, heartbeatMs), state.timers, now);
  if (worker.abandoned !== undefined) worker.abandonedAt ??= now;
  if (isStuck(state, worker, now)) return disconnectWorker(state, worker, "silent");
  if (missed === 0) return;
  const mayBeSilent = worker.traits.isSilentWhileBusy && worker.isBusy;
  if (missed >= heartbeatLiveness && !mayBeSilent) return disconnectWorker(state, worker, "silent");
  state.effects.toWorker(worker, { type: "heartbeat" });
}

/** A worker sent something about a request that it does not hold. If it still ran that request, it may be free now. */
export function onLateReply(
  state: CoreState,
  worker: WorkerRecord,
  { type, address }: FromWorker & { readonly address: string },
): void {
  if (address !== worker.abandoned || (type !== "final" && type !== "reject")) return;
  worker.abandoned = undefined;
  worker.abandonedAt = undefined;
  serve(state, worker);
}

/** A worker broke its dialect and counts as lost. Its dialect decides whether it gets a DISCONNECT. */
export function onWorkerViolation(state: CoreState, worker: WorkerRecord): void {
  if (worker.traits.dropsInvalid) loseWorker(state, worker, "violation");
  else disconnectWorker(state, worker, "violation");
}

/** Sends DISCONNECT to a worker, so that it registers again, and counts it as lost. */
export function disconnectWorker(state: CoreState, worker: WorkerRecord, reason: WorkerDownReason): void {
  state.effects.toWorker(worker, disconnectWith(worker.capabilities, lossReason(reason)));
  loseWorker(state, worker, reason);
}

/** A worker is gone. Its own DISCONNECT is not answered, because that would make it register again (P-DISC-3). */
export function loseWorker(state: CoreState, worker: WorkerRecord, reason: WorkerDownReason): void {
  const { registrations } = worker;
  state.workers.delete(worker.id);
  state.timers.clear(worker.lease);
  state.timers.clear(worker.settling);
  setWorkerState(worker, "gone");
  for (const registration of registrations) removeRegistration(state, registration, reason);
  // Oldest first, so that other workers with free slots get them in order of arrival.
  const inFlight = [...worker.inFlight].sort((left, right) => left.number - right.number);
  for (const request of inFlight) requeueOrFail(state, request, worker);
  for (const { targeted } of registrations) {
    for (const request of targeted) {
      failRequest(state, request, "UNAVAILABLE", `failed: the worker "${shownPeer(worker.id)}" that it names is gone`);
    }
  }
  for (const { service } of registrations) {
    if (service.workers.size > 0) failRejected(state, service);
    else closeService(state, service);
  }
}

function removeRegistration(state: CoreState, registration: Registration, reason: WorkerDownReason): void {
  const { worker, service, policy } = registration;
  if (registration.isListed) policy.remove(registration);
  registration.isListed = false;
  service.workers.delete(worker);
  state.registrations -= 1;
  noteDirectoryChange(state);
  state.effects.report({ type: "worker-down", worker: worker.id, service: service.name, reason });
}

/** D-LIVE-2: the silence of such a worker says nothing while it works; an option limits how long that may take. */
function isStuck({ options }: CoreState, worker: WorkerRecord, now: Instant): boolean {
  const { traits, isBusy, abandonedAt } = worker;
  if (abandonedAt !== undefined && now - abandonedAt >= options.busyTimeoutMs) return true;
  return traits.isSilentWhileBusy && isBusy && now - aliveAt(worker) >= options.busyTimeoutMs;
}

/** The last worker of a service is gone. Its requests may turn to another service that covers their names. */
function closeService(state: CoreState, service: Service): void {
  for (const other of state.services.close(service)) resumeService(state, other);
  closeUnserved(state);
}

/** A request lost its worker. */
function requeueOrFail(state: CoreState, request: QueuedRequest, worker: WorkerRecord): void {
  const { name, id, options, client } = request;
  const neverArrived = request.isReceived === false;
  remove(state, request);
  if (!neverArrived) {
    request.mayHaveRun = true;
    request.lostWorkers += 1;
  }
  // Another worker is not the one that the client named.
  const mayStartOver = (options.retry || neverArrived) && request.canStartOver && options.worker === undefined;
  if (!mayStartOver) {
    const code = neverArrived ? "UNAVAILABLE" : "WORKER_LOST";
    return failRequest(state, request, code, `was lost with its worker "${shownPeer(worker.id)}"`);
  }
  const { lostWorkers } = request;
  if (neverArrived || lostWorkers < state.options.maxDispatches) {
    if (!neverArrived) storeLoss(state, request);
    state.effects.report({ type: "request-requeued", service: name, requestId: id, worker: worker.id });
    return placeOrFail(state, request, undefined);
  }
  const event = { client: client.id, service: name, requestId: id, worker: worker.id, dispatches: lostWorkers };
  state.effects.report({ type: "request-exhausted", ...event });
  const why = `lost ${lostWorkers} workers in turn, the maximum (maxDispatches); the last was "${shownPeer(worker.id)}"`;
  failRequest(state, request, "WORKER_LOST", why);
}

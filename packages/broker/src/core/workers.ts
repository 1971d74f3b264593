// Registered workers: coming, going, and how long a silent one counts as alive. What becomes of a request whose worker
// is lost is decided here: given to another if it asked for that, failed at once if not.

import type { Capabilities, Deadlines, FromWorker, Instant, PeerId, ServiceName } from "@pigato/protocol";
import { intervalOf, learnRhythm, UNKNOWN_RHYTHM } from "@pigato/protocol";
import type { Announcements } from "./announcements.ts";
import { ASSUMED_CONCURRENCY, type CoreOptions, traitsOf } from "./core-options.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { DialectId, WorkerDownReason } from "./effects.ts";
import { countSilence, noteHeard, startLease } from "./lease.ts";
import type { Outbox } from "./outbox.ts";
import { MAX_DOORS, peerAtDoor, shownPeer } from "./peer-names.ts";
import { type Due, type Request, type Service, Worker } from "./records.ts";
import type { Requests } from "./requests.ts";
import type { Services } from "./services.ts";

export class Workers {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  readonly #dispatcher: Dispatcher;
  readonly #requests: Requests;
  readonly #services: Services;
  readonly #announcements: Announcements;
  readonly #outbox: Outbox;
  readonly #byId = new Map<PeerId, Worker>();

  constructor(
    options: CoreOptions,
    deadlines: Deadlines<Due>,
    dispatcher: Dispatcher,
    requests: Requests,
    services: Services,
    announcements: Announcements,
    outbox: Outbox,
  ) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#dispatcher = dispatcher;
    this.#requests = requests;
    this.#services = services;
    this.#announcements = announcements;
    this.#outbox = outbox;
  }

  get size(): number {
    return this.#byId.size;
  }

  get isFull(): boolean {
    return this.#byId.size >= this.#options.maxWorkers;
  }

  get(id: PeerId): Worker | undefined {
    return this.#byId.get(id);
  }

  /** The worker that a client means by a routing id, whichever door it came in by; the first door's first. */
  named(id: PeerId): Worker | undefined {
    let worker = this.#byId.get(id);
    for (let door = 1; worker === undefined && door < MAX_DOORS; door++) worker = this.#byId.get(peerAtDoor(door, id));
    return worker;
  }

  values(): IterableIterator<Worker> {
    return this.#byId.values();
  }

  /** A new worker. Until its concurrency is known it gets nothing, so that even its first requests respect it. */
  register(
    id: PeerId,
    dialect: DialectId,
    name: ServiceName,
    offer: Capabilities | undefined,
    shared: Capabilities,
    now: Instant,
  ): Worker {
    const service = this.#services.open(name);
    const worker = new Worker(id, dialect, traitsOf(this.#options, dialect), service, shared, this.#deadlines);
    const concurrency = worker.traits.isSequential ? 1 : offer?.concurrency;
    worker.concurrency = concurrency ?? ASSUMED_CONCURRENCY;
    worker.rhythm = { ...UNKNOWN_RHYTHM, announcedMs: offer?.heartbeatMs };
    this.#byId.set(id, worker);
    service.workers.add(worker);
    this.#announcements.noteChange();
    this.#outbox.report({ type: "worker-up", worker: id, service: service.name });
    startLease(worker, intervalOf(worker.rhythm, this.#options.heartbeatMs), this.#deadlines, now);
    if (concurrency === undefined) this.#deadlines.set(worker.settling, this.#options.settleMs, now);
    else this.settle(worker);
    return worker;
  }

  /** Its concurrency is known, or has been waited for long enough. */
  settle(worker: Worker): void {
    this.#deadlines.clear(worker.settling);
    worker.isSettled = true;
    this.#dispatcher.serve(worker);
  }

  /** Any sign of life. */
  onHeard(worker: Worker, now: Instant): void {
    noteHeard(worker, now);
    if (!worker.isCongested) return;
    worker.isCongested = false;
    this.#dispatcher.serve(worker);
  }

  onHeartbeat(worker: Worker, concurrency: number | undefined, now: Instant): void {
    const pause = worker.heartbeatAt === undefined ? undefined : now - worker.heartbeatAt;
    worker.heartbeatAt = now;
    worker.rhythm = learnRhythm(worker.rhythm, pause);
    if (concurrency !== undefined) worker.concurrency = concurrency;
    this.onHeard(worker, now);
    this.settle(worker);
  }

  /** Its lease has come: it may have been silent. */
  onLease(worker: Worker, now: Instant): void {
    const intervalMs = intervalOf(worker.rhythm, this.#options.heartbeatMs);
    const missed = countSilence(worker, intervalMs, this.#deadlines, now);
    if (worker.abandoned !== undefined) worker.abandonedAt ??= now;
    if (this.#isStuck(worker, now)) return this.disconnect(worker, "silent");
    if (missed === 0) return;
    const mayBeSilent = worker.traits.isSilentWhileBusy && worker.isBusy;
    if (missed >= this.#options.heartbeatLiveness && !mayBeSilent) return this.disconnect(worker, "silent");
    this.#outbox.toWorker(worker, { type: "heartbeat" });
  }

  /** Something it said of a request that it does not hold. If it has worked on for nobody, it may be free now. */
  onLate(worker: Worker, { type, address }: FromWorker & { readonly address: string }): void {
    if (address !== worker.abandoned || (type !== "final" && type !== "reject")) return;
    worker.abandoned = undefined;
    worker.abandonedAt = undefined;
    this.#dispatcher.serve(worker);
  }

  /** D-LIVE-2: its silence says nothing while it works; for how long that may take is an option of its own. */
  #isStuck({ traits, isBusy, heardAt, abandonedAt }: Worker, now: Instant): boolean {
    const { busyTimeoutMs } = this.#options;
    if (abandonedAt !== undefined && now - abandonedAt >= busyTimeoutMs) return true;
    return traits.isSilentWhileBusy && isBusy && now - heardAt >= busyTimeoutMs;
  }

  /** It broke its dialect: it counts as lost. Whether it is told so is the dialect's. */
  onViolation(worker: Worker): void {
    if (worker.traits.dropsInvalid) this.lose(worker, "violation");
    else this.disconnect(worker, "violation");
  }

  /** Tells a worker to come back as a new one, and counts it as lost. */
  disconnect(worker: Worker, reason: WorkerDownReason): void {
    this.#outbox.toWorker(worker, { type: "disconnect" });
    this.lose(worker, reason);
  }

  /** A worker is gone. A DISCONNECT of its own gets no answer, or it would come back to life (P-DISC-3). */
  lose(worker: Worker, reason: WorkerDownReason): void {
    const { service } = worker;
    this.#byId.delete(worker.id);
    this.#deadlines.clear(worker.lease);
    this.#deadlines.clear(worker.settling);
    this.#dispatcher.retire(worker);
    service.workers.delete(worker);
    this.#announcements.noteChange();
    this.#outbox.report({ type: "worker-down", worker: worker.id, service: service.name, reason });
    // Oldest first: what other workers have free slots for goes out in order of arrival.
    const inFlight = [...worker.inFlight].sort((left, right) => left.number - right.number);
    for (const request of inFlight) this.#loseOne(request, worker);
    for (const request of worker.targeted) {
      this.#requests.fail(request, "UNAVAILABLE", `waited for the worker "${shownPeer(worker.id)}", which is gone`);
    }
    if (service.workers.size > 0) this.#requests.failDeclined(service);
    else this.#close(service);
  }

  /**
   * A worker never got this request, because it is gone. It gets nothing more; that it is lost, with all it still holds,
   * is told next, and then any other worker may have this one.
   */
  onUnreachable(request: Request, worker: Worker): void {
    request.isReceived ??= false;
    this.#dispatcher.retire(worker);
  }

  /**
   * A worker's connection takes no more for now. The request waits, for this worker or another, unless the worker has
   * spoken of it: then it runs.
   */
  onCongested(request: Request, worker: Worker): void {
    this.#dispatcher.pause(worker);
    if (request.isReceived) return;
    this.#dispatcher.remove(request);
    this.#requests.place(request, request.options.worker === undefined ? undefined : worker);
  }

  /** Its last worker is gone. What waits for it may be served by others, of another service. */
  #close(service: Service): void {
    for (const other of this.#services.close(service)) this.#requests.resume(other);
    this.#requests.closeUnserved();
  }

  #loseOne(request: Request, worker: Worker): void {
    const { retry, worker: target } = request.options;
    const { name, id } = request;
    const isUndelivered = request.isReceived === false;
    this.#dispatcher.remove(request);
    if (!isUndelivered) request.mayHaveRun = true;
    // A reply that has begun cannot start over, and another worker is not the one that was asked for.
    if ((retry || isUndelivered) && !request.hasPartial && target === undefined) {
      this.#outbox.report({ type: "request-requeued", service: name, requestId: id, worker: worker.id });
      return this.#requests.place(request, undefined);
    }
    const code = isUndelivered ? "UNAVAILABLE" : "WORKER_LOST";
    this.#requests.fail(request, code, `was lost with its worker "${shownPeer(worker.id)}"`);
  }
}

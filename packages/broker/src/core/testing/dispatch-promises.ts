// What must hold when a request goes to a worker, as far as it can be told from outside.

import type { Instant, PeerId } from "@pigato/protocol";
import type { DispatchMode } from "../core-options.ts";
import { promise, type WatchedRequest, type WatchedWorker } from "./watched.ts";

/** What is known at the moment of a dispatch. */
export interface Scene {
  readonly mode: DispatchMode;
  readonly now: Instant;
  /** The worker whose message is being dealt with: whether it has a free slot may be about to change. */
  readonly speaker: PeerId | undefined;
  readonly workers: Iterable<WatchedWorker>;
  readonly open: Iterable<WatchedRequest>;
}

/** @param request not yet counted as held by the worker */
export function checkDispatch(request: WatchedRequest, worker: WatchedWorker, scene: Scene): void {
  const what = `${request.id} of ${request.client} to ${worker.id}`;
  promise(request.holder === undefined, `${what}: another worker holds it`);
  promise(request.suits(worker), `${what}: not for this worker, or declined by it`);
  promise(request.deadlineAt > scene.now, `${what}: after its deadline`);
  promise(scene.now >= worker.settledAt, `${what}: before its concurrency is known`);
  promise(!worker.isCongested, `${what}: it takes no more for now`);
  promise(worker.held.size < worker.concurrency, `${what}: it has ${worker.held.size} of ${worker.concurrency}`);
  checkTurn(request, worker, scene, what);
  if (scene.mode === "load") checkLoad(request, worker, scene, what);
}

/** Of what was never declined, the worker gets what came first. */
function checkTurn(request: WatchedRequest, worker: WatchedWorker, { open }: Scene, what: string): void {
  for (const other of open) {
    const isWaiting = other.holder === undefined && other.rejectedBy.size === 0 && other.suits(worker);
    promise(!isWaiting || other.number >= request.number, `${what}: ${other.id} of ${other.client} came first`);
  }
}

/** Of all workers that may have it, the least loaded gets it. */
function checkLoad(request: WatchedRequest, worker: WatchedWorker, scene: Scene, what: string): void {
  for (const other of scene.workers) {
    const isChanging = other.settledAt >= scene.now || other.id === scene.speaker;
    const isFree = !other.isClosed && !other.isCongested && other.held.size < other.concurrency;
    if (isChanging || !isFree || !request.suits(other)) continue;
    promise(worker.held.size <= other.held.size, `${what}, though ${other.id} has less to do`);
  }
}

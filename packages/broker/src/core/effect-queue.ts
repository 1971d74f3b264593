// The effects of the current input, in the order in which the shell performs them.

import type { Capabilities, FailureCode, PeerId, RequestId, ToClient, ToWorker } from "@pigato/protocol";
import type { DirectorySnapshot } from "@pigato/protocol/internal";
import type { BrokerEvent, DialectId, DropReason, Effect } from "./effects.ts";
import { routingIdOf } from "./peer-names.ts";
import type { QueuedRequest, WorkerRecord } from "./queued-request.ts";
import type { StoredRequest } from "./stored-request.ts";

/** The fields of a client that sending needs, for known and unknown clients. */
export interface ClientAddress {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly capabilities: Capabilities;
}

export class EffectQueue {
  #effects: Effect[] = [];

  /** @param isContinuation whether the effects of this input hold an earlier message of the same reply */
  toClient(client: ClientAddress, message: ToClient, isContinuation = false): void {
    const { id, capabilities, dialect } = client;
    this.#effects.push({ type: "to-client", to: id, message, capabilities, dialect, isContinuation });
  }

  /** P-NOT-1: reports progress to a client that asked for notices. @param worker the one that now holds the request */
  notify(request: QueuedRequest, worker: WorkerRecord | undefined): void {
    if (request.options.notices) this.#notify(request, worker === undefined ? "queued" : "dispatched", worker);
  }

  /** P-NOT-1: the store has the request. */
  notifyStored(request: QueuedRequest): void {
    if (request.options.notices) this.#notify(request, "stored", undefined);
  }

  /** The request is alive. */
  heartbeatOf(client: ClientAddress, requestId: RequestId): void {
    this.toClient(client, { type: "request-heartbeat", requestId });
  }

  /** Grants chunks to the worker that holds the request, if it takes part in flow control. */
  grant({ location, address, id }: QueuedRequest, chunks: number): void {
    if (location.at !== "worker" || !location.worker.capabilities.credit) return;
    this.toWorker(location.worker, { type: "credit", address, requestId: id, chunks });
  }

  toWorker(worker: WorkerRecord, message: ToWorker): void {
    this.#effects.push({ type: "to-worker", to: worker.id, message, dialect: worker.dialect });
  }

  /** To a peer that is not, or no longer, a registered worker. */
  toUnregistered(peer: PeerId, message: ToWorker, dialect: DialectId): void {
    this.#effects.push({ type: "to-worker", to: peer, message, dialect });
  }

  announce(snapshot: DirectorySnapshot): void {
    this.#effects.push({ type: "announce", snapshot });
  }

  store(key: string, request: StoredRequest): void {
    this.#effects.push({ type: "store", key, request });
  }

  delete(key: string): void {
    this.#effects.push({ type: "delete", key });
  }

  /** Requests a `handed-over` input, which follows the failed sends of everything sent so far. */
  confirm(address: string): void {
    this.#effects.push({ type: "confirm", address });
  }

  report(event: BrokerEvent): void {
    this.#effects.push({ type: "report", event });
  }

  reportDrop(peer: PeerId, reason: DropReason, requestId?: RequestId): void {
    this.report({ type: "dropped", peer, reason, requestId });
  }

  reportFailure(request: QueuedRequest, code: FailureCode): void {
    const { client, name, id } = request;
    this.report({ type: "request-failed", client: client.id, service: name, requestId: id, code });
  }

  drained(): void {
    this.#effects.push({ type: "drained" });
  }

  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #notify({ client, id }: QueuedRequest, state: "queued" | "stored" | "dispatched", worker?: WorkerRecord): void {
    if (!client.capabilities.notice) {
      if (state === "dispatched" && client.traits.notifiesByHeartbeat) this.heartbeatOf(client, id);
      return;
    }
    this.toClient(client, { type: "notice", requestId: id, state, worker: worker && routingIdOf(worker.id) });
  }
}

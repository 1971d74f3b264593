// The effects of one input, in the order they are to be performed.

import type {
  DirectorySnapshot,
  FailureCode,
  NoticeState,
  PeerId,
  RequestId,
  ToClient,
  ToWorker,
} from "@pigato/protocol";
import type { BrokerEvent, DialectId, DropReason, Effect } from "./effects.ts";
import { routingIdOf } from "./peer-names.ts";
import type { Client, Request, Worker } from "./records.ts";
import type { StoredRequest } from "./stored-request.ts";

export class Outbox {
  #effects: Effect[] = [];

  /** @param isContinuation whether this input's effects hold an earlier message of the same reply */
  toClient(client: Client, message: ToClient, isContinuation = false): void {
    const { id, capabilities, dialect } = client;
    this.#effects.push({ type: "to-client", to: id, message, capabilities, dialect, isContinuation });
  }

  /** P-NOT-1: how far a request has come, for a client that asked to be told. @param worker who has it now, if one has */
  notify(request: Request, worker: Worker | undefined): void {
    if (request.options.notices) this.#notify(request, worker === undefined ? "queued" : "dispatched", worker);
  }

  /** P-NOT-1: the store has it. */
  notifyStored(request: Request): void {
    if (request.options.notices) this.#notify(request, "stored", undefined);
  }

  /** To the worker that holds it, if one does that can be paced. */
  grant({ place, address, id }: Request, chunks: number): void {
    if (place.at !== "worker" || !place.worker.capabilities.credit) return;
    this.toWorker(place.worker, { type: "credit", address, requestId: id, chunks });
  }

  toWorker(worker: Worker, message: ToWorker): void {
    this.#effects.push({ type: "to-worker", to: worker.id, message, dialect: worker.dialect });
  }

  /** To a peer that is not, or no longer, a registered worker. */
  toStranger(peer: PeerId, message: ToWorker, dialect: DialectId): void {
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

  /** Asks to be told behind what was refused of what was sent so far. */
  confirm(address: string): void {
    this.#effects.push({ type: "confirm", address });
  }

  report(event: BrokerEvent): void {
    this.#effects.push({ type: "report", event });
  }

  reportDrop(peer: PeerId, reason: DropReason, requestId?: RequestId): void {
    this.report({ type: "dropped", peer, reason, requestId });
  }

  reportFailure(request: Request, code: FailureCode): void {
    const { client, name, id } = request;
    this.report({ type: "request-failed", client: client.id, service: name, requestId: id, code });
  }

  drained(): void {
    this.#effects.push({ type: "drained" });
  }

  #notify({ client, id }: Request, state: NoticeState, worker: Worker | undefined): void {
    if (!client.capabilities.notice) return;
    this.toClient(client, { type: "notice", requestId: id, state, worker: worker && routingIdOf(worker.id) });
  }

  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

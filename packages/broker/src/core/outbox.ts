// The effects of one input, in the order they are to be performed.

import type { DirectorySnapshot, FailureCode, PeerId, RequestId, ToClient, ToWorker } from "@pigato/protocol";
import type { BrokerEvent, DropReason, Effect } from "./effects.ts";
import type { Client, Request, Worker } from "./records.ts";

export class Outbox {
  #effects: Effect[] = [];

  toClient(client: Client, message: ToClient): void {
    this.#effects.push({ type: "to-client", to: client.id, message, capabilities: client.capabilities });
  }

  toWorker(worker: Worker, message: ToWorker): void {
    this.#effects.push({ type: "to-worker", to: worker.id, message });
  }

  /** To a peer that is not, or no longer, a registered worker. */
  toStranger(peer: PeerId, message: ToWorker): void {
    this.#effects.push({ type: "to-worker", to: peer, message });
  }

  announce(snapshot: DirectorySnapshot): void {
    this.#effects.push({ type: "announce", snapshot });
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

  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

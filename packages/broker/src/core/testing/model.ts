// A model of the broker, kept from inputs and effects alone: its peers, its open requests with the workers that hold them,
// and the current input. The checks share it; each of them checks invariants of one kind.

import type { FromWorker, PeerId, RequestId } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import type { CoreOptions } from "../core-options.ts";
import type { Input } from "../effects.ts";
import { ModelNames } from "./model-names.ts";
import { type ModelClient, ModelRequest, type ModelWorker, type RequestMessage } from "./model-records.ts";

export class Model {
  readonly options: CoreOptions;
  readonly clients: Map<PeerId, ModelClient> = new Map();
  /** Clients that are gone and have persistent requests open. */
  readonly away: Map<PeerId, ModelClient> = new Map();
  readonly workers: Map<PeerId, ModelWorker> = new Map();
  readonly names: ModelNames = new ModelNames();
  /** How many requests were accepted so far. */
  accepted = 0;
  #arrivals = 0;
  // The current input, and when it came.
  input: Input = { type: "tick" };
  now: Instant = 0;
  /** The request of the current input, until it is accepted or refused. */
  arriving: ModelRequest | undefined;
  /** Whether that request was accepted and not answered at once. */
  hasAccepted = false;
  /** The addresses of requests that this input ended at workers that take cancels. */
  recalled: Set<string> = new Set();

  constructor(options: CoreOptions) {
    this.options = options;
  }

  begin(input: Input, now: Instant): void {
    this.input = input;
    this.now = now;
    this.arriving = undefined;
    this.hasAccepted = false;
    this.recalled = new Set();
  }

  /** A request came; it counts unless its client has one of that id open. */
  arrive(client: PeerId, message: RequestMessage): void {
    const number = this.nextNumber();
    if (this.find(client, message.requestId) !== undefined) return;
    this.arriving = new ModelRequest({ client, message, number, now: this.now });
    const { deadlineMs } = message;
    if (deadlineMs !== undefined && this.clients.get(client)?.capabilities.deadline === true) {
      this.arriving.lastAt = this.now + deadlineMs;
      this.arriving.restartTimeout(this.now);
    }
    const { credit = false, duplex = false, methods = false } = this.clients.get(client)?.capabilities ?? {};
    if (methods && message.options.acceptTimeoutMs !== undefined) {
      this.arriving.acceptMs = message.options.acceptTimeoutMs;
    }
    if (credit && message.credit !== undefined) this.arriving.credit = message.credit;
    if (duplex && message.options.hasInput) this.arriving.input = { credit: 0, isGranted: false, hasEnded: false };
  }

  /** The next place in the order of arrival. */
  nextNumber(): number {
    this.#arrivals += 1;
    return this.#arrivals;
  }

  accept(request: ModelRequest): void {
    this.accepted += 1;
    this.arriving = undefined;
    this.hasAccepted = true;
    this.clientOf(request.client)?.open.set(request.id, request);
  }

  close(request: ModelRequest | undefined): void {
    if (request === undefined) return;
    this.free(request);
    this.clientOf(request.client)?.open.delete(request.id);
  }

  /** Frees the slot of the worker that holds the request, if one does. */
  free(request: ModelRequest): void {
    if (request.holder?.takesCancel) this.recalled.add(request.address);
    request.release();
  }

  find(client: PeerId, id: RequestId): ModelRequest | undefined {
    return this.clientOf(client)?.open.get(id);
  }

  /** The request whose body is this frame object. */
  requestOf(frame: Uint8Array | undefined): ModelRequest | undefined {
    if (this.arriving?.frame === frame) return this.arriving;
    for (const request of this.everyRequest()) if (request.frame === frame) return request;
    return undefined;
  }

  /** P-ADDR-2: found by the token of the broker, or, without one, by an id that only one held request has. */
  heldUnder(worker: ModelWorker | undefined, message: FromWorker): ModelRequest | undefined {
    if (worker === undefined || message.type === "ready" || !("requestId" in message)) return undefined;
    const { address, requestId } = message;
    if (address.startsWith("~")) return worker.held.get(address);
    const named = [...worker.held.values()].filter(({ id }) => id === requestId);
    return named.length === 1 ? named[0] : undefined;
  }

  clientOf(id: PeerId): ModelClient | undefined {
    return this.clients.get(id) ?? this.away.get(id);
  }

  /** All open requests. */
  *everyRequest(): IterableIterator<ModelRequest> {
    for (const { open } of [...this.clients.values(), ...this.away.values()]) yield* open.values();
  }

  /** Whether a client negotiated typed errors. */
  takesErrors(client: PeerId): boolean {
    return this.clients.get(client)?.capabilities.error ?? false;
  }
}

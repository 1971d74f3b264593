// A model of the broker, kept from inputs and effects alone: which peers there are, which requests are open and who holds
// them, and what the current input brought. The checks share it; each of them checks invariants of one kind.

import type { FromWorker, PeerId, RequestId } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import type { CoreOptions } from "../core-options.ts";
import type { Input } from "../effects.ts";
import { ModelNames } from "./model-names.ts";
import { type ModelClient, ModelRequest, type ModelWorker, type RequestMessage } from "./model-records.ts";

export class Model {
  readonly options: CoreOptions;
  readonly clients: Map<PeerId, ModelClient> = new Map();
  /** Clients that are gone and have requests that the store keeps. */
  readonly away: Map<PeerId, ModelClient> = new Map();
  readonly workers: Map<PeerId, ModelWorker> = new Map();
  readonly names: ModelNames = new ModelNames();
  /** How many requests were accepted so far. */
  accepted = 0;
  #arrivals = 0;
  // The input at hand, and when it came.
  input: Input = { type: "tick" };
  now: Instant = 0;
  /** The request that it brought, until it is accepted or refused. */
  arriving: ModelRequest | undefined;
  /** Whether that was accepted to be run. */
  hasAccepted = false;
  /** The addresses of requests that ended while a worker held them that can take them back. */
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

  /** A request that has come, unless its client has one of that id open. */
  arrive(client: PeerId, message: RequestMessage): void {
    const number = this.nextNumber();
    if (this.find(client, message.requestId) !== undefined) return;
    this.arriving = new ModelRequest(client, message, number, this.now);
    const isPaced = this.clients.get(client)?.capabilities.credit === true;
    if (isPaced && message.credit !== undefined) this.arriving.credit = message.credit;
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

  /** Takes it from the worker that holds it, if one does. */
  free(request: ModelRequest): void {
    if (request.holder?.takesCancel) this.recalled.add(request.address);
    request.release();
  }

  find(client: PeerId, id: RequestId): ModelRequest | undefined {
    return this.clientOf(client)?.open.get(id);
  }

  /** The request that has exactly this frame as its data. */
  requestOf(frame: Uint8Array | undefined): ModelRequest | undefined {
    if (this.arriving?.frame === frame) return this.arriving;
    for (const request of this.everyRequest()) if (request.frame === frame) return request;
    return undefined;
  }

  /** The rule of P-ADDR-2: by our token, or, if it is none of ours, by an id that only one held request has. */
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

  /** Those that are open. */
  *everyRequest(): IterableIterator<ModelRequest> {
    for (const { open } of [...this.clients.values(), ...this.away.values()]) yield* open.values();
  }

  /** Whether a client has negotiated to be told how requests fail. */
  isTyped(client: PeerId): boolean {
    return this.clients.get(client)?.capabilities.error ?? false;
  }
}

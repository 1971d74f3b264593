// The requests in flight of one connection, by call id (for handlers) and by client address and request id (for messages of the
// broker). On the path of every request, measured by apps/bench.
//
// A hash table with chaining instead of a Map with concatenated keys, which cost a quarter of the worker's CPU time per
// request. Clients choose their request ids, so the hash is salted against deliberate collisions.

import { type CallId, type ReceiveWindow, type SendStream, SlotTable } from "@pigato/peer/session";
import type { RequestId } from "@pigato/protocol";
import { type Deadline, MAX_CREDIT, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";
import type { FinalInput, PartialInput } from "./effects.ts";

/** How the broker identifies a request to a worker. The worker echoes it. */
export interface RequestRef {
  readonly address: string;
  readonly requestId: RequestId;
}

export interface Expiry {
  readonly timeoutMs: number;
  readonly deadline: Deadline<InFlightRequest>;
}

/** The streamed input of a request (input-streams.ts). */
export interface StreamedInput {
  readonly window: ReceiveWindow;
  /** Chunks that were granted and have not arrived. */
  due: number;
  hasEnded: boolean;
  /** Half of the timeout: when to grant what was read, however little it is. */
  readonly halfTimeMs: number;
  readonly deadline: Deadline<InFlightRequest>;
}

export class InFlightRequest implements RequestRef, SendStream<PartialInput | FinalInput> {
  readonly id: CallId;
  readonly address: string;
  readonly requestId: RequestId;
  readonly hash: number;
  credit: number = MAX_CREDIT;
  creditBytes: number = MAX_CREDIT_BYTES;
  held: SendStream<PartialInput | FinalInput>["held"];
  isPaused = false;
  /** Whether its body came as frames, and its replies go as frames (P-REP-10). */
  isFramed = false;
  /** `undefined` without streamed input. */
  input: StreamedInput | undefined;
  /** Set if this side must end it when its timeout is over. */
  expiry: Expiry | undefined;
  chainNext: InFlightRequest | undefined;

  constructor(ref: RequestRef, hash: number, id: CallId) {
    this.id = id;
    this.address = ref.address;
    this.requestId = ref.requestId;
    this.hash = hash;
  }
}

/** The initial number of chains. Doubles when there are more requests than chains, and never shrinks. */
const MIN_CHAINS = 64;

export class RequestTable {
  readonly #salt: number;
  readonly #byId = new SlotTable<InFlightRequest>();
  #chains: (InFlightRequest | undefined)[] = emptyChains(MIN_CHAINS);

  /** @param random from 0 up to 1; must be unknown to clients */
  constructor(random: () => number) {
    this.#salt = Math.floor(random() * 2 ** 32) | 0;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** @returns `undefined` if a request with the same address and id is in flight */
  add(ref: RequestRef): InFlightRequest | undefined {
    const hash = hashOf(ref, this.#salt);
    if (this.#findHashed(ref, hash) !== undefined) return undefined;
    if (this.size === this.#chains.length) this.#grow();
    const request = new InFlightRequest(ref, hash, this.#byId.nextId());
    this.#byId.set(request.id, request);
    this.#link(request);
    return request;
  }

  get(id: CallId): InFlightRequest | undefined {
    return this.#byId.get(id);
  }

  find(ref: RequestRef): InFlightRequest | undefined {
    return this.#findHashed(ref, hashOf(ref, this.#salt));
  }

  /** All requests, oldest first. */
  all(): readonly InFlightRequest[] {
    return this.#byId.values();
  }

  remove(request: InFlightRequest): void {
    if (this.#byId.take(request.id) === undefined) return;
    const chain = request.hash & (this.#chains.length - 1);
    let earlier = this.#chains[chain];
    if (earlier === request) {
      this.#chains[chain] = request.chainNext;
    } else {
      while (earlier !== undefined && earlier.chainNext !== request) earlier = earlier.chainNext;
      if (earlier !== undefined) earlier.chainNext = request.chainNext;
    }
    request.chainNext = undefined;
  }

  #findHashed(ref: RequestRef, hash: number): InFlightRequest | undefined {
    let request = this.#chains[hash & (this.#chains.length - 1)];
    while (request !== undefined && !isNamed(request, hash, ref)) request = request.chainNext;
    return request;
  }

  #link(request: InFlightRequest): void {
    const chain = request.hash & (this.#chains.length - 1);
    request.chainNext = this.#chains[chain];
    this.#chains[chain] = request;
  }

  #grow(): void {
    const chains = this.#chains;
    this.#chains = emptyChains(chains.length * 2);
    for (const first of chains) {
      for (let request = first; request !== undefined; ) {
        const { chainNext } = request;
        this.#link(request);
        request = chainNext;
      }
    }
  }
}

function emptyChains(count: number): (InFlightRequest | undefined)[] {
  return new Array<InFlightRequest | undefined>(count).fill(undefined);
}

function isNamed(request: InFlightRequest, hash: number, { address, requestId }: RequestRef): boolean {
  return request.hash === hash && request.requestId === requestId && request.address === address;
}

function hashOf({ address, requestId }: RequestRef, salt: number): number {
  return hashText(address, hashText(requestId, salt));
}

function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

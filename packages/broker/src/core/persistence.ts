// Requests that the store keeps until they have ended, so that a broker which starts again finds them. Decides what the
// store is asked, and when; whether a request is run is decided elsewhere.
//
// What always holds: a request is stored before it is given to anybody; what has ended is deleted, but never before the
// store has finished with storing it, so that the two cannot pass each other; a key is never used twice.

import type { FromClient } from "@pigato/protocol";
import { type PeerId, peerId, type RequestId, requestId, type ServiceName, serviceName } from "@pigato/protocol";
import type { Outbox } from "./outbox.ts";
import type { Request } from "./records.ts";
import type { StoredRequest } from "./stored-request.ts";

type RequestMessage = FromClient & { readonly type: "request" };

/** What the store has, or is about to have, or to have no more. */
interface Kept {
  readonly key: string;
  /** None once it has ended. */
  request: Request | undefined;
  state: "storing" | "stored" | "deleting";
}

/** Digits of a key, so that keys as text are in the order of arrival. */
const KEY_DIGITS = 16;

export class Persistence {
  readonly #outbox: Outbox;
  readonly #byKey = new Map<string, Kept>();
  readonly #byRequest = new Map<Request, Kept>();
  #lastKey = 0;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** How many requests the store has, or has not finished with. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Has a request stored. It is not to be given to anybody before `onStored`. */
  store(request: Request): void {
    this.#lastKey += 1;
    const key = keyOf(this.#lastKey);
    this.#add(key, request, "storing");
    this.#outbox.store(key, entryOf(request));
  }

  /** The store had it already, when the broker started. */
  adopt(key: string, request: Request): void {
    this.#add(key, request, "stored");
  }

  /** So that no key is used that the store has. */
  skip(key: string): void {
    const number = Number(key);
    if (Number.isSafeInteger(number)) this.#lastKey = Math.max(this.#lastKey, number);
  }

  /** The store has it now. @returns the request, if it is still open */
  onStored(key: string): Request | undefined {
    const kept = this.#byKey.get(key);
    if (kept === undefined || kept.state !== "storing") return undefined;
    kept.state = "stored";
    if (kept.request === undefined) this.#delete(kept);
    return kept.request;
  }

  /** The store failed to take it, or took it and failed to say so. @returns the request, if it is still open */
  onStoreFailed(key: string): Request | undefined {
    const kept = this.#byKey.get(key);
    if (kept === undefined || kept.state !== "storing") return undefined;
    const { request } = kept;
    if (request !== undefined) this.#byRequest.delete(request);
    this.#delete(kept);
    return request;
  }

  /** The store has finished with deleting it, for better or worse. */
  onDeleted(key: string): void {
    if (this.#byKey.get(key)?.state === "deleting") this.#byKey.delete(key);
  }

  /** A request that is to be kept has ended. */
  onEnded(request: Request): void {
    const kept = this.#byRequest.get(request);
    if (kept === undefined) return;
    this.#byRequest.delete(request);
    kept.request = undefined;
    if (kept.state === "stored") this.#delete(kept);
  }

  /** The broker stops: what the store has of this request stays there. @returns whether it has any of it */
  leave(request: Request): boolean {
    const kept = this.#byRequest.get(request);
    if (kept === undefined) return false;
    this.#byRequest.delete(request);
    this.#byKey.delete(kept.key);
    return true;
  }

  /** Deletes what was in the store when the broker started and has no place any more. */
  discard(key: string): void {
    const kept: Kept = { key, request: undefined, state: "stored" };
    this.#byKey.set(key, kept);
    this.#delete(kept);
  }

  /** Throws unless it knows just the open requests that are to be kept. For tests. */
  assertConsistent(open: Iterable<Request>): void {
    let persisted = 0;
    for (const request of open) {
      if (!request.options.persist) continue;
      persisted += 1;
      const kept = this.#byRequest.get(request);
      const isRight = kept?.request === request && this.#byKey.get(kept.key) === kept && kept.state !== "deleting";
      if (!isRight || (kept.state === "storing") !== (request.place.at === "store")) {
        throw new Error(`inconsistent: request ${request.id} is not in the store as it should be`);
      }
    }
    if (persisted !== this.#byRequest.size) throw new Error("inconsistent: an ended request is still stored");
  }

  #add(key: string, request: Request, state: Kept["state"]): void {
    const kept = { key, request, state };
    this.#byKey.set(key, kept);
    this.#byRequest.set(request, kept);
  }

  #delete(kept: Kept): void {
    kept.state = "deleting";
    kept.request = undefined;
    this.#outbox.delete(kept.key);
  }
}

/** A stored request as the message that it once was. */
export function messageOf(stored: StoredRequest): { readonly from: PeerId; readonly message: RequestMessage } {
  const { service, body, trailer, timeoutMs, retry, worker } = stored;
  const name: ServiceName = serviceName(service);
  const id: RequestId = requestId(stored.requestId);
  const options = {
    timeoutMs: timeoutMs ?? Number.POSITIVE_INFINITY,
    retry,
    worker: worker === null ? undefined : peerId(worker),
    failFast: false,
    noCache: true,
    persist: true,
    notices: false,
  };
  return {
    from: peerId(stored.client),
    message: { type: "request", service: name, requestId: id, body, trailer, options },
  };
}

function entryOf({ client, id, name, body, trailer, options }: Request): StoredRequest {
  const { timeoutMs, retry, worker } = options;
  return {
    version: 1,
    client: client.id,
    requestId: id,
    service: name,
    body,
    trailer,
    timeoutMs: timeoutMs === Number.POSITIVE_INFINITY ? null : timeoutMs,
    retry,
    worker: worker ?? null,
  };
}

function keyOf(number: number): string {
  return String(number).padStart(KEY_DIGITS, "0");
}

// What the store has of persistent requests, or was asked to store or delete and has not confirmed yet.
//
// Invariants: what has ended is deleted, but never before the store has confirmed storing it, so the two calls cannot pass
// each other; a key is never used for two requests.

import type { Instant } from "@pigato/protocol/internal";
import type { StoredUsage } from "./client-record.ts";
import type { QueuedRequest } from "./queued-request.ts";

export interface StoredEntry {
  readonly key: string;
  /** `undefined` once the request has ended. */
  request: QueuedRequest | undefined;
  state: "storing" | "stored" | "updating" | "deleting";
  /** The lost workers of the request that the store knows, or was asked to store. */
  lostWorkers: number;
  /** When the request has been stored for as long as it may be. */
  readonly expiresAt: Instant;
}

/** Digits of a key, so that the text order of keys is the order of arrival. */
const KEY_DIGITS = 16;

export class StoredRequestTable {
  /** The open requests that are here, and what they count as. */
  readonly open: StoredUsage = { requests: 0, bytes: 0 };
  readonly #byKey = new Map<string, StoredEntry>();
  readonly #byRequest = new Map<QueuedRequest, StoredEntry>();
  #lastKey = 0;

  /** How many requests the store has, or has not finished with. */
  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): StoredEntry | undefined {
    return this.#byKey.get(key);
  }

  of(request: QueuedRequest): StoredEntry | undefined {
    return this.#byRequest.get(request);
  }

  /** Reserves the key of a request from now on. */
  skip(key: string): void {
    const number = Number(key);
    if (Number.isSafeInteger(number)) this.#lastKey = Math.max(this.#lastKey, number);
  }

  /** A request that is about to be stored. @returns its new key */
  add(request: QueuedRequest, expiresAt: Instant): string {
    this.#lastKey += 1;
    const key = String(this.#lastKey).padStart(KEY_DIGITS, "0");
    this.#put({ key, request, state: "storing", lostWorkers: 0, expiresAt });
    return key;
  }

  /** A request that was in the store when the broker started. */
  adopt(key: string, request: QueuedRequest, expiresAt: Instant): void {
    this.#put({ key, request, state: "stored", lostWorkers: request.lostWorkers, expiresAt });
  }

  /** An entry of the store that no request uses and that is about to be deleted. */
  addDeleting(key: string): void {
    const expiresAt = Number.POSITIVE_INFINITY;
    this.#byKey.set(key, { key, request: undefined, state: "deleting", lostWorkers: 0, expiresAt });
  }

  /** The request of an entry has ended, or is not stored after all. */
  detach(entry: StoredEntry): void {
    const { request } = entry;
    if (request === undefined) return;
    this.#byRequest.delete(request);
    this.#count(request, -1);
    entry.request = undefined;
  }

  /** The store has confirmed that an entry is deleted, or the broker leaves it to its next start. */
  drop(entry: StoredEntry): void {
    this.detach(entry);
    this.#byKey.delete(entry.key);
  }

  #put(entry: StoredEntry & { readonly request: QueuedRequest }): void {
    this.#byKey.set(entry.key, entry);
    this.#byRequest.set(entry.request, entry);
    this.#count(entry.request, 1);
  }

  #count({ client, bytes }: QueuedRequest, sign: 1 | -1): void {
    for (const usage of [this.open, client.stored]) {
      usage.requests += sign;
      usage.bytes += sign * bytes;
    }
  }
}

// Where a broker stores the requests of clients that set `persist`, until they have ended. `MemoryStore` loses them with its
// process; durable stores implement the same three methods.

import type { StoredRequest } from "./core/stored-request.ts";

/**
 * A store belongs to one broker at a time. The broker stores at most `maxStoredRequests` keys, never reuses the key of
 * another request, and never sets or deletes a key before the previous call for it has settled.
 */
export interface RequestStore {
  /**
   * Resolves when the request is stored durably. If it rejects, the request fails with `UNAVAILABLE`. Called again for a request with
   * `retry` that loses a worker: this replaces the entry. If that rejects, the entry must stay, and the request continues.
   */
  set(key: string, request: StoredRequest): Promise<void>;
  /** Resolves when nothing is stored under the key, even if nothing was. */
  delete(key: string): Promise<void>;
  /** Returns all entries, in any order. Called once, when a broker starts. */
  all(): Promise<Iterable<readonly [key: string, request: StoredRequest]>>;
}

/** Keeps requests in memory: across a stop and a start of a broker, or from one broker to the next, within one process. */
export class MemoryStore implements RequestStore {
  readonly #requests = new Map<string, StoredRequest>();

  async set(key: string, request: StoredRequest): Promise<void> {
    this.#requests.set(key, request);
  }

  async delete(key: string): Promise<void> {
    this.#requests.delete(key);
  }

  async all(): Promise<readonly (readonly [key: string, request: StoredRequest])[]> {
    return [...this.#requests];
  }
}

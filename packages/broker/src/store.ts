// Where a broker keeps the requests of clients that say `persist`, until they have ended. Ours forgets with its process;
// durable ones implement the same three methods.

import type { StoredRequest } from "./core/stored-request.ts";

/**
 * A store belongs to one broker at a time. The broker has at most `maxRequests` keys in it or under way, uses none
 * twice, and never sets or deletes a key before the last such call for it has settled.
 */
export interface RequestStore {
  /** Resolves when the request is stored for good. If it rejects, its client is told that it was not taken. */
  set(key: string, request: StoredRequest): Promise<void>;
  /** Resolves when nothing is stored under the key, whether there was anything or not. */
  delete(key: string): Promise<void>;
  /** All that is stored, in any order. Called once, when a broker starts. */
  all(): Promise<Iterable<readonly [key: string, request: StoredRequest]>>;
}

/** Keeps requests in memory: over a stop and start of a broker, or from one to the next, in one process. */
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

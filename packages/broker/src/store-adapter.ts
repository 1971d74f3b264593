// Connects the core to a store: calls it, and turns each outcome into an input. A store that throws or rejects is an input,
// too.

import { guarded } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import { isBytes, reasonOf } from "@pigato/protocol/internal";
import { type Clock, wallClock } from "@pigato/transport";
import type { Input } from "./core/effects.ts";
import { STORED_VERSION, type StoredRequest } from "./core/stored-request.ts";
import type { RequestStore } from "./store.ts";

export class StoreAdapter {
  readonly #store: RequestStore;
  readonly #apply: (input: Input) => void;
  /** Milliseconds since 1970: an age must survive a restart. */
  readonly #wallClock: () => number;
  /** When each request was first stored, by its key. */
  readonly #storedAt = new Map<string, number>();
  #pending = 0;
  #onIdle: () => void = () => {};

  constructor(store: RequestStore, apply: (input: Input) => void, now: () => number = wallClock) {
    this.#store = store;
    this.#apply = apply;
    this.#wallClock = now;
  }

  /**
   * Reads what the store holds, in the order in which it was stored.
   * @throws what the store rejects with; UsageError for an entry that is no stored request, or has a later version
   */
  async load(): Promise<Input[]> {
    const all = [...(await this.#store.all())].sort(([left], [right]) => (left < right ? -1 : 1));
    const now = this.#wallClock();
    return all.map(([key, request]) => {
      if (isStoredRequest(request)) {
        this.#storedAt.set(key, request.storedAt ?? now);
        return { type: "restore", key, request, ageMs: Math.max(0, now - (request.storedAt ?? now)) };
      }
      throw new UsageError(`the store entry "${key}" is no request that this version of the broker can read`);
    });
  }

  set(key: string, request: StoredRequest): void {
    const storedAt = this.#storedAt.get(key) ?? this.#wallClock();
    this.#storedAt.set(key, storedAt);
    const stored = { ...request, storedAt };
    this.#follow(
      () => this.#store.set(key, stored),
      () => ({ type: "stored", key }),
      (reason) => ({ type: "store-failed", key, reason }),
    );
  }

  delete(key: string): void {
    this.#storedAt.delete(key);
    this.#follow(
      () => this.#store.delete(key),
      () => ({ type: "deleted", key }),
      (reason) => ({ type: "delete-failed", key, reason }),
    );
  }

  /** Resolves when no call is pending, or after `limitMs`. */
  idle(clock: Clock, limitMs: number): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const late = clock.alarm(resolve);
      guarded(() => late.set(clock.now() + limitMs));
      this.#onIdle = () => {
        guarded(() => late.set(undefined));
        resolve();
      };
    });
  }

  #follow(call: () => Promise<void>, done: () => Input, failed: (reason: string) => Input): void {
    this.#pending += 1;
    // Inside a promise, a store that throws counts as one that rejects.
    const called = new Promise<void>((resolve) => resolve(call()));
    void called
      .then(done, (error) => failed(reasonOf(error)))
      .then((input) => {
        this.#pending -= 1;
        this.#apply(input);
        if (this.#pending === 0) this.#onIdle();
      });
  }
}

function isStoredRequest(value: unknown): value is StoredRequest {
  if (typeof value !== "object" || value === null) return false;
  const field = (name: string): unknown => Reflect.get(value, name);
  const timeoutMs = field("timeoutMs");
  return (
    field("version") === STORED_VERSION &&
    ["client", "requestId", "service"].every((name) => typeof field(name) === "string") &&
    [field("body"), field("trailer")].every(areFrames) &&
    (timeoutMs === null || (typeof timeoutMs === "number" && timeoutMs >= 0)) &&
    typeof field("retry") === "boolean" &&
    (field("worker") === null || typeof field("worker") === "string") &&
    ["undefined", "string"].includes(typeof field("caller")) &&
    ["methods", "headers"].every((name) => ["undefined", "boolean"].includes(typeof field(name))) &&
    ["storedAt", "lostWorkers", "deadlineMs"].every((name) => ["undefined", "number"].includes(typeof field(name)))
  );
}

function areFrames(value: unknown): boolean {
  return Array.isArray(value) && value.every(isBytes);
}

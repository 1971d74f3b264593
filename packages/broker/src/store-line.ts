// Between a broker's core and its store: calls the store, turns what becomes of it into inputs, and knows when nothing is
// under way. A store that throws or rejects is an input, too.

import { UsageError } from "@pigato/protocol";
import type { Input } from "./core/effects.ts";
import { STORED_VERSION, type StoredRequest } from "./core/stored-request.ts";
import type { RequestStore } from "./store.ts";

export class StoreLine {
  readonly #store: RequestStore;
  readonly #tell: (input: Input) => void;
  #underWay = 0;
  #onIdle: () => void = () => {};

  constructor(store: RequestStore, tell: (input: Input) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /**
   * What the store holds, in the order in which it was stored.
   * @throws what the store rejects with; UsageError for what is no stored request, or one of a later version
   */
  async load(): Promise<Input[]> {
    const all = [...(await this.#store.all())].sort(([left], [right]) => (left < right ? -1 : 1));
    return all.map(([key, request]) => {
      if (isStoredRequest(request)) return { type: "restore", key, request };
      throw new UsageError(`the store holds something under "${key}" that this broker cannot read as a request`);
    });
  }

  set(key: string, request: StoredRequest): void {
    this.#follow(
      () => this.#store.set(key, request),
      () => ({ type: "stored", key }),
      (reason) => ({ type: "store-failed", key, reason }),
    );
  }

  delete(key: string): void {
    this.#follow(
      () => this.#store.delete(key),
      () => ({ type: "deleted", key }),
      (reason) => ({ type: "delete-failed", key, reason }),
    );
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #follow(call: () => Promise<void>, done: () => Input, failed: (reason: string) => Input): void {
    this.#underWay += 1;
    // A store that throws instead of rejecting throws inside.
    const called = new Promise<void>((resolve) => resolve(call()));
    void called
      .then(done, (error) => failed(error instanceof Error ? error.message : String(error)))
      .then((input) => {
        this.#underWay -= 1;
        this.#tell(input);
        if (this.#underWay === 0) this.#onIdle();
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
    (field("worker") === null || typeof field("worker") === "string")
  );
}

function areFrames(value: unknown): boolean {
  return Array.isArray(value) && value.every((frame) => frame instanceof Uint8Array);
}

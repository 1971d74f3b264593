// Abort signals of requests. One signal may cancel many requests, so a client adds one listener for all of them. With a listener for
// each request, Node would warn of a leak at the eleventh, and would search a list to remove one.

import { guarded } from "@pigato/peer";

/** Is notified when a signal aborts. */
export interface Abortable {
  onAbort(reason: unknown): void;
}

/** The signals of a client's open requests. */
export class AbortSignals {
  readonly #shared = new WeakMap<AbortSignal, SharedSignal>();

  /** The same object for the same signal, as long as it is in use. */
  of(signal: AbortSignal): SharedSignal {
    let shared = this.#shared.get(signal);
    if (shared === undefined) {
      shared = new SharedSignal(signal);
      this.#shared.set(signal, shared);
    }
    return shared;
  }
}

/** One signal and everything that it aborts. Listens to the signal only while there is something to abort. */
export class SharedSignal {
  readonly #signal: AbortSignal;
  readonly #abortables = new Set<Abortable>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** A signal that has aborted before notifies at once. */
  add(abortable: Abortable): void {
    if (this.#signal.aborted) return abortable.onAbort(this.#signal.reason);
    if (this.#abortables.size === 0) this.#signal.addEventListener("abort", this);
    this.#abortables.add(abortable);
  }

  /** A signal of another implementation may throw, which must not keep a reply from its caller. */
  delete(abortable: Abortable): void {
    if (!this.#abortables.delete(abortable) || this.#abortables.size > 0) return;
    guarded(() => this.#signal.removeEventListener("abort", this));
  }

  handleEvent(): void {
    for (const abortable of this.#abortables) abortable.onAbort(this.#signal.reason);
  }
}

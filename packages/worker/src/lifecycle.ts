// What `start()` and `stop()` wait for, in whatever order they are called. The last call wins: a start while stopping
// comes after the stop, and a stop calls off a start that has not been reached. Nobody need wait for any of it.
//
//   stopped ── start ──► started ── stop ──► stopping ──► stopped
//                                               └─ start: noted, done after the stop

import { RequestError } from "@pigato/protocol";

type State =
  | { readonly phase: "stopped" }
  | { readonly phase: "started"; readonly ready: Deferred }
  | { readonly phase: "stopping"; readonly done: Deferred; next: Deferred | undefined };

export interface Startable {
  begin(): void;
  end(): void;
}

export class Lifecycle {
  readonly #startable: Startable;
  #state: State = { phase: "stopped" };

  constructor(startable: Startable) {
    this.#startable = startable;
  }

  /** Resolves when the broker has answered; rejects with `CLOSED` if stopped before. */
  start(): Promise<void> {
    const state = this.#state;
    switch (state.phase) {
      case "stopped":
        return this.#begin(new Deferred());
      case "started":
        return state.ready.promise;
      case "stopping":
        state.next ??= new Deferred();
        return state.next.promise;
      default:
        return state satisfies never;
    }
  }

  /** Resolves when everything has ended. */
  stop(): Promise<void> {
    const state = this.#state;
    switch (state.phase) {
      case "stopped":
        return Promise.resolve();
      case "started": {
        const done = new Deferred();
        this.#enter({ phase: "stopping", done, next: undefined });
        state.ready.reject(stoppedFirst());
        this.#startable.end();
        return done.promise;
      }
      case "stopping":
        state.next?.reject(stoppedFirst());
        state.next = undefined;
        return state.done.promise;
      default:
        return state satisfies never;
    }
  }

  onReady(): void {
    if (this.#state.phase === "started") this.#state.ready.resolve();
  }

  /** @returns whether a start was waiting, which has now failed and is being stopped */
  onFailure(error: Error): boolean {
    if (this.#state.phase !== "started" || this.#state.ready.isSettled) return false;
    this.#state.ready.reject(error);
    void this.stop();
    return true;
  }

  onStopped(): void {
    if (this.#state.phase !== "stopping") return;
    const { done, next } = this.#state;
    this.#enter({ phase: "stopped" });
    done.resolve();
    if (next !== undefined) void this.#begin(next);
  }

  #begin(ready: Deferred): Promise<void> {
    this.#enter({ phase: "started", ready });
    this.#startable.begin();
    return ready.promise;
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

class Deferred {
  readonly promise: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #isSettled = false;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever starts without waiting did not ask to hear that it failed.
    this.promise.catch(() => {});
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  resolve(): void {
    this.#isSettled = true;
    this.#resolve();
  }

  reject(error: Error): void {
    this.#isSettled = true;
    this.#reject(error);
  }
}

function stoppedFirst(): RequestError {
  const message = "the worker was stopped before the broker had answered";
  return new RequestError({ code: "CLOSED", message, delivery: "not-sent" });
}

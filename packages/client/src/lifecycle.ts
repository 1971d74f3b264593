// What `start()` and `stop()` wait for, whatever the order in which they are called. The last call wins: a start while
// stopping comes after the stop, a stop takes back a start that has not been reached. Nobody need await any of it.
//
//   new ── start ──► starting ── broker answered ──► started
//    │                  │                               │
//    └──── stop ────────┴──────────► stopping ◄─────────┘
//                                       │ ▲ start: noted, and done after the stop
//                                       ▼ │
//                                    stopped ── start ──► starting

import { RequestError } from "@pigato/protocol";
import type { LinkError } from "@pigato/transport";

type State =
  | { readonly phase: "new" }
  | { readonly phase: "starting" | "started"; readonly started: Deferred }
  | { readonly phase: "stopping"; readonly stopped: Deferred; next: Deferred | undefined }
  | { readonly phase: "stopped" };

export interface Startable {
  start(): void;
  stop(): void;
}

export class Lifecycle {
  readonly #startable: Startable;
  #state: State = { phase: "new" };

  constructor(startable: Startable) {
    this.#startable = startable;
  }

  /** Resolves when a broker has answered; rejects with `CLOSED` if stopped before, or as `onFailure` says. */
  start(): Promise<void> {
    const state = this.#state;
    switch (state.phase) {
      case "new":
      case "stopped":
        return this.#begin(new Deferred());
      case "starting":
      case "started":
        return state.started.promise;
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
      case "stopping":
        state.next?.reject(stoppedFirst());
        state.next = undefined;
        return state.stopped.promise;
      case "starting":
        state.started.reject(stoppedFirst());
        return this.#end();
      case "new":
      case "started":
        return this.#end();
      default:
        return state satisfies never;
    }
  }

  onConnected(): void {
    if (this.#state.phase !== "starting") return;
    const { started } = this.#state;
    this.#state = { phase: "started", started };
    started.resolve();
  }

  /** There is no broker to be had: a start that waits for one has failed, and is taken back. */
  onFailure(error: LinkError): void {
    if (this.#state.phase !== "starting") return;
    this.#state.started.reject(error);
    void this.#end();
  }

  onStopped(): void {
    if (this.#state.phase !== "stopping") return;
    const { stopped, next } = this.#state;
    this.#state = { phase: "stopped" };
    stopped.resolve();
    if (next !== undefined) void this.#begin(next);
  }

  #begin(started: Deferred): Promise<void> {
    this.#state = { phase: "starting", started };
    this.#startable.start();
    return started.promise;
  }

  #end(): Promise<void> {
    const stopped = new Deferred();
    this.#state = { phase: "stopping", stopped, next: undefined };
    this.#startable.stop();
    return stopped.promise;
  }
}

class Deferred {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: RequestError | LinkError) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever starts without waiting did not ask to hear that it was stopped again.
    this.promise.catch(() => {});
  }
}

function stoppedFirst(): RequestError {
  const message = "the client was stopped before a broker answered";
  return new RequestError({ code: "CLOSED", message, delivery: "not-sent" });
}

// What `start()` and `stop()` of a client or a worker wait for, in whatever order they are called. The last call wins: a
// start while stopping takes effect after the stop, a stop cancels a start that has not finished. No promise must be awaited.
//
//   new ── start ──► starting ── broker answered ──► started
//    │                  │                               │
//    └──── stop ────────┴──────────► stopping ◄─────────┘
//                                       │ ▲ start: noted, and done after the stop
//                                       ▼ │
//                                    stopped ── start ──► starting

import { RequestError } from "@pigato/protocol";
import { withStackOf } from "./stacks.ts";

/** The peer's kind, for error texts. */
export type PeerKind = "client" | "worker";

interface Startable {
  readonly kind: PeerKind;
  begin(): void;
  end(): void;
}

type State =
  | { readonly phase: "new" | "stopped" }
  | { readonly phase: "starting" | "started"; readonly started: Deferred }
  | { readonly phase: "stopping"; readonly stopped: Deferred; next: Deferred | undefined };

export class Lifecycle {
  readonly #startable: Startable;
  #state: State = { phase: "new" };

  constructor(startable: Startable) {
    this.#startable = startable;
  }

  /** Whether it was never started. */
  get isNew(): boolean {
    return this.#state.phase === "new";
  }

  /** Whether `stop()` was called and has not finished. */
  get isStopping(): boolean {
    return this.#state.phase === "stopping";
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
        state.next?.reject(this.#stoppedFirst());
        state.next = undefined;
        return state.stopped.promise;
      case "starting":
        state.started.reject(this.#stoppedFirst());
        return this.#end();
      case "new":
        // Requests may wait for a client to start; a worker has nothing to end.
        return this.#startable.kind === "client" ? this.#end() : Promise.resolve();
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

  /** The broker cannot be reached and never will be: fails a pending start, and stops. */
  onFailure(error: Error): void {
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
    this.#startable.begin();
    return started.promise;
  }

  #end(): Promise<void> {
    const stopped = new Deferred();
    this.#state = { phase: "stopping", stopped, next: undefined };
    this.#startable.end();
    return stopped.promise;
  }

  #stoppedFirst(): RequestError {
    const message = `the ${this.#startable.kind} was stopped before a broker answered`;
    return new RequestError({ code: "CLOSED", message, delivery: "not-sent" });
  }
}

class Deferred {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  // V8 cannot find the awaiting functions when it fails, because the promise has a second reaction.
  readonly #site = new Error();

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
    // A caller that does not await a start does not want an unhandled rejection.
    this.promise.catch(() => {});
  }

  reject(error: Error): void {
    this.#reject(withStackOf(this.#site, error));
  }
}

// The lifecycle events that classic code expects. The original stops completely when the broker is lost: it emits `disconnect`
// and `stop` at the loss, `start` and `connect` when it is back. Every `start` is followed by one `disconnect` and one `stop`,
// even if the broker never answered in between.

import { guarded } from "@pigato/peer";
import { callListeners } from "./conf.ts";

/** A client or a worker of `@pigato/client` and `@pigato/worker`. */
export interface Peer {
  readonly socketId: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  on(event: "connecting" | "connect" | "disconnect", listener: () => void): unknown;
}

/** The classic client or worker. */
export interface ClassicEmitter {
  readonly conf: object;
  emit(event: "start" | "stop" | "connect" | "disconnect"): boolean;
}

/** One peer, from its construction to its stop. */
export class ClassicLifecycle<Inner extends Peer> {
  readonly peer: Inner;
  readonly #emitter: ClassicEmitter;
  #phase: "new" | "up" | "lost" | "stopped" = "new";

  constructor(peer: Inner, emitter: ClassicEmitter) {
    this.peer = peer;
    this.#emitter = emitter;
    peer.on("connecting", () => this.#onConnecting());
    peer.on("connect", () => this.#onConnect());
    peer.on("disconnect", () => this.#onLost());
  }

  /** Whether it was started and not stopped since. */
  get isRunning(): boolean {
    return this.#phase === "up" || this.#phase === "lost";
  }

  /** Whether it was stopped, after which it emits nothing. */
  get isStopped(): boolean {
    return this.#phase === "stopped";
  }

  start(): void {
    this.#phase = "up";
    void this.peer.start();
    this.#emit("start");
  }

  stop(): Promise<void> {
    const wasUp = this.#phase === "up";
    this.#phase = "stopped";
    const stopped = this.peer.stop();
    if (wasUp) this.#emitLoss();
    return stopped;
  }

  /** The peer reconnects. */
  #onConnecting(): void {
    // The first link is opened from within start().
    if (this.#isFirst) {
      this.#isFirst = false;
      return;
    }
    this.#onLost();
    if (this.#phase !== "lost") return;
    this.#phase = "up";
    this.#emit("start");
  }

  #isFirst = true;

  #onConnect(): void {
    if (this.#phase !== "up") return;
    this.#emit("connect");
    callListeners(this.#emitter.conf, "onConnect");
  }

  #onLost(): void {
    if (this.#phase !== "up") return;
    this.#phase = "lost";
    this.#emitLoss();
  }

  /** A listener that throws does not stop the next event. */
  #emit(event: "start" | "stop" | "connect" | "disconnect"): void {
    guarded(() => this.#emitter.emit(event));
  }

  #emitLoss(): void {
    this.#emit("disconnect");
    // The README of the original spells it with three n.
    callListeners(this.#emitter.conf, "onDisconnect", "onDisconnnect");
    this.#emit("stop");
  }
}

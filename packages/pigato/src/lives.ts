// The events of a peer's life as classic code sees them. The original tears down its whole self whenever the broker is
// lost, and tells so: `disconnect` and `stop` at the loss, `start` and `connect` when it comes back. Every `start` has
// one `disconnect` and one `stop`, also if the broker never answered in between.

import { callListeners } from "./conf.ts";

/** What a client and a worker of the packages underneath have in common. */
export interface Peer {
  readonly socketId: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  on(event: "connecting" | "connect" | "disconnect", listener: () => void): unknown;
}

/** Who is told. */
export interface Face {
  readonly conf: object;
  emit(event: "start" | "stop" | "connect" | "disconnect"): boolean;
}

/** One peer from its making to its stop. */
export class Life<Inner extends Peer> {
  readonly peer: Inner;
  readonly #face: Face;
  #phase: "new" | "up" | "lost" | "over" = "new";

  constructor(peer: Inner, face: Face) {
    this.peer = peer;
    this.#face = face;
    peer.on("connecting", () => this.#onConnecting());
    peer.on("connect", () => this.#onConnect());
    peer.on("disconnect", () => this.#onLost());
  }

  /** Whether it was started and not stopped since. */
  get isRunning(): boolean {
    return this.#phase === "up" || this.#phase === "lost";
  }

  /** Whether it was stopped: nobody hears of it any more. */
  get isOver(): boolean {
    return this.#phase === "over";
  }

  start(): void {
    this.#phase = "up";
    void this.peer.start();
    this.#face.emit("start");
  }

  stop(): Promise<void> {
    const wasUp = this.#phase === "up";
    this.#phase = "over";
    const stopped = this.peer.stop();
    if (wasUp) this.#tellLoss();
    return stopped;
  }

  /** Another link: the peer has come back, or tries to. */
  #onConnecting(): void {
    // The first link is opened from within start().
    if (this.#isFirst) {
      this.#isFirst = false;
      return;
    }
    this.#onLost();
    if (this.#phase !== "lost") return;
    this.#phase = "up";
    this.#face.emit("start");
  }

  #isFirst = true;

  #onConnect(): void {
    if (this.#phase !== "up") return;
    this.#face.emit("connect");
    callListeners(this.#face.conf, "onConnect");
  }

  #onLost(): void {
    if (this.#phase !== "up") return;
    this.#phase = "lost";
    this.#tellLoss();
  }

  #tellLoss(): void {
    this.#face.emit("disconnect");
    // Three n: so the original's README has it.
    callListeners(this.#face.conf, "onDisconnect", "onDisconnnect");
    this.#face.emit("stop");
  }
}

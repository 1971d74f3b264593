// Checks the connections of a session, of a client or of a worker, by its inputs and effects alone: one link at a time, and
// messages only while it is up.

import { invariant } from "./invariants.ts";

interface Step {
  readonly type: string;
}

export class LinkChecks {
  #phase: "closed" | "opening" | "up" = "closed";
  #isConnected = false;
  /** Whether the loss of a connected link must still be reported. */
  #owesReport = false;
  #isRunning = false;

  get isUp(): boolean {
    return this.#phase === "up";
  }

  /** Whether the broker has answered on this link. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  before(input: Step): void {
    if (input.type === "start") this.#isRunning = true;
    if (input.type === "link-up" && this.#phase === "opening") this.#phase = "up";
  }

  see(effect: Step): void {
    switch (effect.type) {
      case "open":
        invariant(this.#isRunning && this.#phase === "closed", "a second link is opened, or one after the end");
        invariant(!this.#owesReport, "the loss of the connection is not reported");
        this.#phase = "opening";
        return;
      case "connected":
        invariant(this.#phase === "up" && !this.#isConnected, `connected while ${this.#phase}, or twice`);
        this.#isConnected = true;
        return;
      case "close":
        invariant(this.#phase !== "closed", "a link is closed that is not open");
        this.#phase = "closed";
        this.#owesReport = this.#isConnected;
        this.#isConnected = false;
        return;
      case "disconnected":
        invariant(this.#owesReport, "the loss of a connection is reported that was not lost, or twice");
        this.#owesReport = false;
        return;
      case "send":
        return invariant(this.#phase === "up", `a message is sent while the link is ${this.#phase}`);
      case "stopped":
        invariant(this.#phase === "closed", "stopped with a link");
        this.#isRunning = false;
    }
  }

  /** After all effects of an input. */
  after(): void {
    invariant(!this.#owesReport, "the loss of the connection is not reported");
  }
}

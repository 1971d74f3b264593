// What leaves by the worker's link: every message at once, but for partial replies that may leave together, which wait for the
// end of the tick (session/partials.ts). What the link does not take is kept for the session to hear of.

import { nextTick } from "node:process";
import type { FromWorker } from "@pigato/protocol";
import type { DealerLink, SendOptions, SendOutcome } from "@pigato/transport";
import type { WorkerDialect } from "./dialect.ts";
import type { Input } from "./session/effects.ts";
import { type Partial, Partials } from "./session/partials.ts";

type Refused = Input & { readonly type: "refused" };

const URGENT: SendOptions = Object.freeze({ urgent: true });

export class Outgoing {
  readonly #wire: WorkerDialect["wire"];
  readonly #onFlushed: () => void;
  readonly #partials = new Partials();
  readonly #refused: Refused[] = [];
  #link: DealerLink | undefined;
  #lastOutcome: SendOutcome = "queued";
  #isFlushDue = false;
  readonly #onTick = (): void => {
    this.#isFlushDue = false;
    this.flush();
    this.#onFlushed();
  };

  /** @param onFlushed what waited has left at the end of a tick, or was refused */
  constructor(wire: WorkerDialect["wire"], onFlushed: () => void) {
    this.#wire = wire;
    this.#onFlushed = onFlushed;
  }

  /** Where everything goes from now on, if anywhere. What waits for an earlier link leaves by no other. */
  set link(link: DealerLink | undefined) {
    this.#partials.take();
    this.#link = link;
    this.#lastOutcome = "queued";
  }

  /** Whether the link, when something was sent last, asked for a pause, and has not caught up since. */
  get isSlow(): boolean {
    return this.#lastOutcome === "slow";
  }

  /** Whether partial replies wait for the end of the tick. */
  get isWaiting(): boolean {
    return !this.#partials.isEmpty;
  }

  /** The link has caught up. */
  onDrain(): void {
    this.#lastOutcome = "queued";
  }

  /** @param takesPartials whether the broker reads several partial replies in one message */
  send(message: FromWorker, isUrgent: boolean, takesPartials: boolean): void {
    if (message.type === "partial" && this.#wait(message, takesPartials)) return;
    this.flush();
    // Behind a part that was refused just now none may arrive. The session hears of that one next.
    if (message.type === "partial" && (this.#isCut(message) || this.#wait(message, takesPartials))) return;
    this.#write(message, isUrgent);
  }

  /** Sends what waits. */
  flush(): void {
    const message = this.#partials.take();
    if (message !== undefined) this.#write(message, false);
  }

  /** Takes out the message that was refused first. */
  takeRefused(): Refused | undefined {
    return this.#refused.shift();
  }

  /** @returns whether it leaves later; its outcome is that of what was sent last */
  #wait(message: Partial, takesPartials: boolean): boolean {
    if (!takesPartials || !this.#partials.add(message)) return false;
    if (this.#isFlushDue) return true;
    this.#isFlushDue = true;
    nextTick(this.#onTick);
    return true;
  }

  #isCut({ address, requestId }: Partial): boolean {
    return this.#refused.some(
      ({ message }) => "requestId" in message && message.requestId === requestId && message.address === address,
    );
  }

  #write(message: FromWorker, isUrgent: boolean): void {
    if (this.#link === undefined) return;
    const frames = this.#wire.encodeFromWorker(message);
    if (frames === undefined) return;
    const outcome = isUrgent ? this.#link.send(frames, URGENT) : this.#link.send(frames);
    if (outcome === "congested" || outcome === "unreachable")
      this.#refused.push({ type: "refused", message, isUrgent });
    this.#lastOutcome = outcome;
  }
}

// A PUSH socket over ZMTP that connects to one PULL socket. It has the outbox of a dealer. While the other end does not read, messages
// wait here for as long as that takes: the other end may be slow on purpose, and answers no PING then.

import type { FramesToSend } from "../byte-strings.ts";
import type { DealerHandlers, LinkLimits, SendOutcome } from "../link.ts";
import { type SendingKind, ZmtpDealer } from "./dealer.ts";

const PUSH: SendingKind = {
  linkName: "pusher",
  socketType: "PUSH",
  peerTypes: new Set(["PULL"]),
  sendsPings: false,
};

/** Those of a dealer that a socket without replies needs. */
export type PusherHandlers = Pick<
  DealerHandlers,
  "onUp" | "onDown" | "onDrain" | "onAttemptFailed" | "onRejected" | "onUndelivered"
>;

export type PusherLimits = Pick<LinkLimits, "slowBytes" | "maxQueuedBytes" | "maxQueuedMessages">;

export class ZmtpPusher {
  readonly #dealer: ZmtpDealer;

  constructor(handlers: PusherHandlers = {}, limits: Partial<PusherLimits> = {}) {
    this.#dealer = new ZmtpDealer(
      { ...handlers, onMessage() {} },
      { routingId: "", kind: PUSH, limits: { ...limits, sendStallTimeoutMs: Number.POSITIVE_INFINITY } },
    );
  }

  /** Starts to connect. Both ends may start in any order. @throws LinkError for an invalid address */
  connect(address: string): void {
    this.#dealer.connect(address);
  }

  /** Like a dealer's. */
  send(frames: FramesToSend): SendOutcome {
    return this.#dealer.send(frames);
  }

  /** Like a dealer's. */
  close(lingerMs?: number): Promise<void> {
    return this.#dealer.close(lingerMs);
  }
}

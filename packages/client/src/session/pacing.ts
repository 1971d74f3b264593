// Flow control for callers that use it: grants credit (P-STREAM-3, P-STREAM-4, P-STREAM-11), and keeps the request of a slow reader alive
// (P-STREAM-5).

import type { ReceiveWindow } from "@pigato/peer/session";
import { bytesOf, type Frames, type Instant } from "@pigato/protocol/internal";
import type { Call, Calls } from "./calls.ts";
import type { Effect, RequestMessage } from "./effects.ts";

export class Pacing {
  readonly #calls: Calls;
  readonly #emit: (effect: Effect) => void;

  constructor(calls: Calls, emit: (effect: Effect) => void) {
    this.#calls = calls;
    this.#emit = emit;
  }

  /** P-STREAM-3: sends the request with the first credit, if the broker supports flow control. */
  send(call: Call, window: ReceiveWindow, message: RequestMessage, isSupported: boolean): void {
    if (isSupported) {
      this.#emit({ type: "send", message: { ...message, credit: window.start() } });
    } else {
      window.stop();
      this.#emit({ type: "send", message });
    }
    // A caller starts with `FIRST_REPORT`, which needs no report.
    if (call.sends > 1 || !window.isPacing) this.#reportReads(call, window.reportAfter);
  }

  onRead(call: Call, chunks: number, now: Instant): void {
    if (call.window === undefined) return;
    call.window.onRead(chunks);
    const granted = call.window.take();
    if (granted > 0) {
      this.#emit({ type: "send", message: { type: "credit", requestId: call.id, chunks: granted } });
      this.restartTimer(call, now);
    }
    this.#reportReads(call, call.window.reportAfter);
  }

  onArrived(call: Call, chunk: Frames, now: Instant): void {
    if (call.window?.onArrived(bytesOf(chunk))) this.#reportReads(call, call.window.reportAfter);
    this.restartTimer(call, now);
  }

  /** A partial arrived, or credit was granted. */
  restartTimer(call: Call, now: Instant): void {
    const { timeoutMs } = call.message.options;
    call.isInGrace = false;
    call.isHalfway = false;
    this.#calls.setTimer(call, call.window?.isPacing ? timeoutMs / 2 : timeoutMs, now);
  }

  /**
   * P-STREAM-5: without a grant in time, a slow reader looks to the broker like one that has stopped. Reports the chunks
   * that were read now, or as soon as there are any.
   * @returns whether half of the timeout is left
   */
  onHalfTimeUp(call: Call, now: Instant): boolean {
    if (!call.window?.isPacing || !call.hasPartial || call.isHalfway) return false;
    call.isHalfway = true;
    this.#calls.setTimer(call, call.message.options.timeoutMs / 2, now);
    this.#reportReads(call, 1);
    return true;
  }

  #reportReads(call: Call, after: number): void {
    this.#emit({ type: "report-reads", call: call.call, after });
  }
}

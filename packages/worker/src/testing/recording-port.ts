// A worker as a reply sees it, which writes down what it is told.

import { type Frame, readText, requestId } from "@pigato/protocol";
import { DIALECTS, type ReplyFormat } from "../dialect.ts";
import { Reply, type ReplyPort } from "../reply.ts";
import { Call } from "../session/calls.ts";

export class RecordingPort implements ReplyPort {
  readonly format: ReplyFormat;
  /** Every message, as a line: `partial "data" {}`. */
  readonly sent: string[] = [];
  readonly reported: Error[] = [];
  /** Chunks after which the link asks for a pause. */
  pauseAfter: number = Number.POSITIVE_INFINITY;
  /** Whether the last word waits for a grant. */
  isHolding = false;
  #sinceDrain = 0;

  constructor(format: ReplyFormat = DIALECTS.pigato.format) {
    this.format = format;
  }

  reply(): Reply {
    return new Reply(this, new Call({ address: "c1", requestId: requestId("r1") }, 0, 1));
  }

  partial(_call: Call, body: readonly Frame[], options: Frame): boolean {
    this.sent.push(`partial ${textOf(body)} ${readText(options)}`);
    this.#sinceDrain += 1;
    return this.#sinceDrain < this.pauseAfter;
  }

  final(_call: Call, status: number, body: readonly Frame[], options: Frame): boolean {
    this.sent.push(`${status === 0 ? "final" : "error"} ${textOf(body)} ${readText(options)}`);
    return !this.isHolding;
  }

  reject(_call: Call, reason: Frame): void {
    this.sent.push(`reject ${readText(reason)}`);
  }

  requestHeartbeat(_call: Call): void {
    this.sent.push("heartbeat");
  }

  report(error: Error): void {
    this.reported.push(error);
  }

  /** The link has caught up. */
  drain(reply: Reply): void {
    this.#sinceDrain = 0;
    Reply.drained(reply);
  }
}

function textOf(body: readonly Frame[]): string {
  return body.map((frame) => readText(frame)).join(" ");
}

/** One turn of the event loop: everything that was left for the next tick has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

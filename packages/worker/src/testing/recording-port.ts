// The port of a reply, which records what the reply sends.

import { type Frame, readText, requestId } from "@pigato/protocol";
import { DIALECTS, type ReplyFormat } from "../dialect.ts";
import { Reply } from "../reply.ts";
import type { ReplyPort } from "../reply-port.ts";
import type { HandlerInput } from "../session/effects.ts";
import "./watch-sessions.ts";

export class RecordingPort implements ReplyPort {
  readonly format: ReplyFormat;
  /** Every message, as a line: `partial "data" {}`. */
  readonly sent: string[] = [];
  readonly reported: Error[] = [];
  /** Chunks after which the link becomes slow. */
  pauseAfter: number = Number.POSITIVE_INFINITY;
  /** Whether the final waits for credit. */
  isHolding = false;
  #sinceDrain = 0;
  #reply: Reply | undefined;

  constructor(format: ReplyFormat = DIALECTS.pigato.format) {
    this.format = format;
  }

  reply(): Reply {
    const reply = new Reply(this, 1, requestId("r1"));
    this.#reply = reply;
    return reply;
  }

  excessOf(): undefined {}

  apply(input: HandlerInput): void {
    const reply = this.#reply;
    switch (input.type) {
      case "partial":
        this.sent.push(`partial ${textOf(input.body)} ${readText(input.options)}`);
        this.#sinceDrain += 1;
        if (this.#sinceDrain >= this.pauseAfter) Reply.pause(reply);
        return;
      case "final":
        this.sent.push(`${input.status === 0 ? "final" : "error"} ${textOf(input.body)} ${readText(input.options)}`);
        if (!this.isHolding) Reply.finish(reply);
        return;
      case "reject":
        this.sent.push(`reject ${readText(input.reason)}`);
        return Reply.finish(reply);
      case "request-heartbeat":
        this.sent.push("heartbeat");
        return;
      case "input-read":
        this.sent.push(`read ${input.chunks}`);
        return;
      default:
        return input satisfies never;
    }
  }

  report(error: Error): void {
    this.reported.push(error);
  }

  /** The link has drained. */
  drain(reply: Reply): void {
    this.#sinceDrain = 0;
    Reply.drain(reply);
  }
}

function textOf(body: readonly Frame[]): string {
  return body.map((frame) => readText(frame)).join(" ");
}

/** Waits for one turn of the event loop, in which all `nextTick` callbacks have run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

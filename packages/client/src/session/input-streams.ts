// The streamed input of the open requests: which chunks are sent, and when sources are paused (P-STREAM-8).
//
// Invariants:
// - Nothing is sent before the first grant of the request's worker, beyond its grants, or after the end.
// - A chunk that cannot be sent ends its request, and nothing of its input follows. So what comes next waits until the link has accepted
//   the chunks before it (`defer`): otherwise a worker could take a part of the input for all of it.

import { ChunkBatch, Sender } from "@pigato/peer/session";
import type { Failure, Frame, FromClient, RequestId } from "@pigato/protocol";
import {
  DEFAULT_SIZE_BOUNDS,
  excessOf,
  type Instant,
  MAX_CREDIT_BYTES,
  type SizeBounds,
} from "@pigato/protocol/internal";
import { CallInput, type InputItem } from "./call-input.ts";
import type { Call } from "./calls.ts";
import type { Effect, FlowEvent, Input, RequestInput } from "./effects.ts";
import { invalidInput, tooLargeInput } from "./failures.ts";
import type { Pacing } from "./pacing.ts";

/** Memory for each held chunk besides its frame. */
const OVERHEAD_BYTES = 256;
const CONTINUE: Effect = Object.freeze({
  type: "defer",
  input: Object.freeze({ type: "input-flow", event: "continue" }),
});

type SourceInput = Extract<Input, { readonly type: "input" | "input-end" | "input-invalid" }>;

interface Port {
  readonly pacing: Pacing;
  emit(effect: Effect): void;
  /** Ends a call that the broker may still have. */
  giveUp(call: Call, failure: Failure): void;
}

export interface InputAudit {
  readonly heldBytes: number;
  readonly ready: ReadonlySet<CallInput>;
  readonly batched: CallInput | undefined;
}

export class InputStreams {
  /** The sizes that the broker accepts. */
  brokerBounds: SizeBounds = DEFAULT_SIZE_BOUNDS;
  readonly #port: Port;
  // A source waits while it is paused, so each holds about one chunk here.
  readonly #sender = new Sender<CallInput, InputItem>({
    maxHeldBytes: Number.POSITIVE_INFINITY,
    bytesOf: (item) => item.length + OVERHEAD_BYTES,
    isEnd: (item) => item === "end",
  });
  readonly #batch = new ChunkBatch<CallInput>();
  #isFlushDue = false;
  /** The input whose chunk was written last. If the link becomes slow, its source is paused. */
  #writer: CallInput | undefined;

  constructor(port: Port) {
    this.#port = port;
  }

  /** Its tables, for the checks of tests. */
  audit(): InputAudit {
    return { ...this.#sender.audit(), batched: this.#batch.stream };
  }

  open({ call, message, source }: RequestInput): CallInput | undefined {
    if (source === undefined) return undefined;
    const request = { call, requestId: message.requestId, isReplayable: source === "replayable" };
    return new CallInput(request, (input) => this.#remove(input));
  }

  onSource(call: Call, input: SourceInput, now: Instant): void {
    if (input.type === "input-invalid") this.#port.giveUp(call, invalidInput(call, input));
    else this.#onItem(call, input.type === "input" ? input.chunk : "end", now);
  }

  #onItem(call: Call, item: InputItem, now: Instant): void {
    const { input } = call;
    if (input === undefined || input.hasEnded) return;
    input.hasStarted = true;
    const excess = item === "end" ? undefined : excessOf(this.brokerBounds, [item], undefined);
    if (excess !== undefined) return this.#port.giveUp(call, tooLargeInput(call, excess));
    if (input.held !== undefined || !input.isGranted || (item !== "end" && this.#sender.isBlocked(input))) {
      this.#sender.hold(input, item);
      return this.#pause(input);
    }
    this.#port.pacing.restartTimer(call, now);
    if (item === "end") this.#end(input);
    else this.#write(input, item);
  }

  /** The worker takes more chunks, which shows that it reads. */
  onGrant(call: Call, chunks: number, now: Instant): void {
    const { input } = call;
    if (input === undefined || chunks === 0) return;
    this.#port.pacing.restartTimer(call, now);
    if (input.hasEnded) return;
    input.isGranted = true;
    if (this.#sender.grant(input, chunks)) this.#continue();
  }

  onFlow(event: FlowEvent): void {
    switch (event) {
      case "flush":
        this.#isFlushDue = false;
        this.#writer = undefined;
        return this.#flush();
      case "link-slow":
        this.#sender.isLinkSlow = true;
        if (this.#writer !== undefined) this.#pause(this.#writer);
        return;
      case "link-drained":
        this.#sender.isLinkSlow = false;
        return this.#continue();
      case "continue":
        return this.#continue();
      default:
        return event satisfies never;
    }
  }

  /** The connection is lost. */
  onLost(): void {
    this.#sender.isLinkSlow = false;
    this.brokerBounds = DEFAULT_SIZE_BOUNDS;
  }

  /** The request will be sent again: to a worker that has granted nothing. */
  suspend(input: CallInput | undefined): void {
    if (input === undefined) return;
    this.#remove(input);
    input.credit = 0;
    input.creditBytes = MAX_CREDIT_BYTES;
    this.#pause(input);
    input.isGranted = false;
    input.hasEnded = false;
    if (!input.hasStarted) return;
    input.hasStarted = false;
    this.#port.emit({ type: "restart-input", call: input.call });
  }

  #remove(input: CallInput): void {
    this.#sender.remove(input);
    if (this.#batch.stream === input) this.#batch.clear();
    if (this.#writer === input) this.#writer = undefined;
  }

  #write(input: CallInput, chunk: Frame): void {
    const canWait = ChunkBatch.takes(chunk) && this.brokerBounds.maxMessageBytes >= ChunkBatch.MAX_BYTES;
    if (!canWait && this.#batch.stream === input) {
      return this.#sendBatchBefore({ type: "input", requestId: input.requestId, chunk });
    }
    const mustWait = this.#sender.spend(input, chunk.length);
    this.#writer = input;
    if (canWait) this.#addToBatch(input, chunk);
    else this.#send(input.requestId, [chunk]);
    if (mustWait || this.#sender.isLinkSlow) this.#pause(input);
  }

  #addToBatch(input: CallInput, chunk: Frame): void {
    if (!this.#batch.add(input, chunk)) {
      this.#flush();
      this.#batch.add(input, chunk);
    }
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#port.emit({ type: "flush-soon" });
  }

  #end(input: CallInput): void {
    if (this.#batch.stream === input) return this.#sendBatchBefore({ type: "input-end", requestId: input.requestId });
    this.#finish(input);
  }

  #finish(input: CallInput): void {
    this.#remove(input);
    input.hasEnded = true;
    this.#emitSend({ type: "input-end", requestId: input.requestId });
  }

  /** Resumes sources, and sends what is held: one message at a time, because its send may fail or make the link slow. */
  #continue(): void {
    for (let input = this.#sender.takeReady(); input !== undefined; input = this.#sender.takeReady()) {
      const item = this.#sender.peek(input);
      if (item === undefined) {
        if (this.#sender.resume(input)) this.#port.emit({ type: "resume-input", call: input.call });
        continue;
      }
      this.#sender.requeue(input);
      if (this.#batch.stream === input) this.#flush();
      else if (item === "end") this.#finish(input);
      else this.#sendHeld(input, item);
      return this.#port.emit(CONTINUE);
    }
  }

  #sendHeld(input: CallInput, chunk: Frame): void {
    this.#sender.shift(input);
    this.#sender.spend(input, chunk.length);
    this.#send(input.requestId, [chunk]);
  }

  #sendBatchBefore(input: Input): void {
    this.#flush();
    this.#port.emit({ type: "defer", input });
  }

  #flush(): void {
    const { stream } = this.#batch;
    if (stream !== undefined) this.#send(stream.requestId, this.#batch.take());
  }

  #send(requestId: RequestId, chunks: readonly Frame[]): void {
    this.#emitSend({ type: "input", requestId, chunks });
  }

  #emitSend(message: FromClient): void {
    this.#port.emit({ type: "send", message });
  }

  #pause(input: CallInput): void {
    if (this.#sender.pause(input)) this.#port.emit({ type: "pause-input", call: input.call });
  }
}

// The streamed input of the requests in flight of one connection: what their handlers get, and when more is granted (P-STREAM-8).
// The shell reports that a handler starts to read (0 chunks), and later how many chunks it has read. Without a reader, the worker grants
// nothing, so nothing arrives.
//
// Invariant: no more chunks are granted than fit into one window, so that is the most that waits for a handler.

import { type CallId, ReceiveWindow } from "@pigato/peer/session";
import { display, type Frame, type FromWorker } from "@pigato/protocol";
import { Deadlines, type Instant } from "@pigato/protocol/internal";
import { type Effect, type Effects, NO_EFFECTS, type ReadInput } from "./effects.ts";
import { report, sendUrgently } from "./messages.ts";
import type { InFlightRequest, RequestRef, RequestTable, StreamedInput } from "./request-table.ts";

export class InputStreams {
  readonly #requests: RequestTable;
  readonly #fail: (request: InFlightRequest, message: string) => Effects;
  readonly #deadlines = new Deadlines<InFlightRequest>();

  /** @param fail ends a request with an error of the code INVALID */
  constructor(requests: RequestTable, fail: (request: InFlightRequest, message: string) => Effects) {
    this.#requests = requests;
    this.#fail = fail;
  }

  /** Timers that are set, for the checks of tests. */
  get timers(): number {
    return this.#deadlines.size;
  }

  /** The request has streamed input. */
  open(request: InFlightRequest, timeoutMs: number): void {
    const deadline = this.#deadlines.entry(request);
    request.input = { window: new ReceiveWindow(), due: 0, hasEnded: false, halfTimeMs: timeoutMs / 2, deadline };
  }

  close({ input }: InFlightRequest): void {
    if (input !== undefined) this.#deadlines.clear(input.deadline);
  }

  /** The handler has read this many chunks since the last report. */
  onRead({ call, chunks }: ReadInput, now: Instant): Effects {
    const request = this.#requests.get(call);
    if (request?.input === undefined) return NO_EFFECTS;
    const { window } = request.input;
    if (!window.isPacing) return this.#grant(request, request.input, window.start(), now);
    window.onRead(chunks);
    return this.#grant(request, request.input, window.take(), now);
  }

  /** P-STREAM-2. An unknown request has ended while the chunks were in transit. */
  onChunks(ref: RequestRef & { readonly chunks: readonly Frame[] }): Effects {
    const request = this.#requests.find(ref);
    if (request === undefined) return NO_EFFECTS;
    const { input } = request;
    if (input === undefined) return [report("P-STREAM-2", `request ${display(ref.requestId)} announced no input`)];
    input.due -= ref.chunks.length;
    if (input.due < 0 || input.hasEnded) return this.#onFault(request);
    let isReportDue = false;
    for (const { length } of ref.chunks) isReportDue = input.window.onArrived(length) || isReportDue;
    const chunks: Effect = { type: "input", call: request.id, chunks: ref.chunks };
    return isReportDue ? [reportReads(request.id, input.window), chunks] : [chunks];
  }

  onEnd(ref: RequestRef): Effects {
    const request = this.#requests.find(ref);
    if (request?.input === undefined) return NO_EFFECTS;
    if (request.input.hasEnded) return this.#onFault(request);
    request.input.hasEnded = true;
    return [{ type: "input-end", call: request.id }];
  }

  /** P-SIZE-2: a chunk was too large to be kept, so the input has a gap. */
  onOversized(ref: RequestRef, detail: string): Effects {
    const request = this.#requests.find(ref);
    if (request === undefined) return NO_EFFECTS;
    return this.#fail(request, `a chunk of input of request ${display(ref.requestId)} is too large: ${detail}`);
  }

  nextDeadline(): Instant | undefined {
    return this.#deadlines.next();
  }

  get mayWakeEarlier(): boolean {
    return this.#deadlines.mayBeEarlier;
  }

  /** Broker and client would take a slow reader for a handler that has stopped. */
  onTick(now: Instant): Effects {
    const effects: Effect[] = [];
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      effects.push({ type: "report-reads", call: due.id, after: 1 });
    }
    return effects;
  }

  /** P-STREAM-9: each grant restarts the timeout of the request. */
  #grant(request: InFlightRequest, input: StreamedInput, chunks: number, now: Instant): Effects {
    const { id: call, address, requestId } = request;
    const next = reportReads(call, input.window);
    if (chunks === 0) return [next];
    input.due += chunks;
    this.#deadlines.set(input.deadline, input.halfTimeMs, now);
    const message: FromWorker = { type: "credit", address, requestId, chunks };
    return [sendUrgently(message), next];
  }

  #onFault(request: InFlightRequest): Effects {
    const detail = `request ${display(request.requestId)} got input that was not granted`;
    return [report("P-STREAM-8", detail), ...this.#fail(request, detail)];
  }
}

function reportReads(call: CallId, { reportAfter }: ReceiveWindow): Effect {
  return { type: "report-reads", call, after: reportAfter };
}

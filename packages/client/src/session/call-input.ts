// The streamed input of one open request. `InputStreams` changes it.

import type { CallId, SendStream } from "@pigato/peer/session";
import type { Frame, RequestId } from "@pigato/protocol";
import { MAX_CREDIT_BYTES } from "@pigato/protocol/internal";

/** A chunk, or the end. */
export type InputItem = Frame | "end";

export class CallInput implements SendStream<InputItem> {
  readonly call: CallId;
  readonly requestId: RequestId;
  /** Whether its source can start over. */
  readonly isReplayable: boolean;
  credit = 0;
  creditBytes: number = MAX_CREDIT_BYTES;
  held: SendStream<InputItem>["held"];
  /** At first: nothing is read of a source before its worker grants chunks. */
  isPaused = true;
  /** Whether the worker of this attempt has granted chunks. */
  isGranted = false;
  /** Whether the source has given a chunk, or its end. */
  hasStarted = false;
  hasEnded = false;
  readonly #onStop: (input: CallInput) => void;

  constructor(
    request: { readonly call: CallId; readonly requestId: RequestId; readonly isReplayable: boolean },
    onStop: (input: CallInput) => void,
  ) {
    this.call = request.call;
    this.requestId = request.requestId;
    this.isReplayable = request.isReplayable;
    this.#onStop = onStop;
  }

  /** Whether the request can be sent again with all of its input. */
  get canStartOver(): boolean {
    return this.isReplayable || !this.hasStarted;
  }

  /** The request has ended. */
  stop(): void {
    this.#onStop(this);
  }
}

// The headers and trailers of a reply: fields of the options that a worker sends with it. Only requests with interceptors or with listeners for
// them read them.

import { HeaderMap } from "@pigato/contract";
import { decodePayload, type Frame, type RequestError, type UsageError } from "@pigato/protocol";
import { getOwn } from "@pigato/protocol/internal";
import type { PacedCaller } from "./call.ts";
import type { Progress } from "./session/effects.ts";

/** Longer options are not read. */
const MAX_OPTIONS_BYTES = 65_536;

export class ReplyMetadata {
  readonly headers: HeaderMap = new HeaderMap();
  readonly trailers: HeaderMap = new HeaderMap();
  #hasHeaders = false;

  /** Headers come with the first message of a reply, and trailers with the last. */
  read(frame: Frame, isFinal: boolean): void {
    if (this.#hasHeaders && !isFinal) return;
    const options: unknown = frame.length > MAX_OPTIONS_BYTES ? undefined : decodePayload(frame);
    if (!this.#hasHeaders) fill(this.headers, getOwn(options, "headers"));
    if (isFinal) fill(this.trailers, getOwn(options, "trailers"));
    this.#hasHeaders = true;
  }
}

/** Leaves out what is no header: a worker may send anything. */
function fill(headers: HeaderMap, sent: unknown): void {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return;
  for (const [name, value] of Object.entries(sent)) {
    try {
      if (typeof value === "string") headers.set(name, value);
    } catch {
      // Too long, or with control characters.
    }
  }
}

/** A caller that also reads the metadata of the reply. */
export class MetadataCaller implements PacedCaller {
  readonly #caller: PacedCaller;
  readonly #metadata: ReplyMetadata;

  constructor(caller: PacedCaller, metadata: ReplyMetadata) {
    this.#caller = caller;
    this.#metadata = metadata;
  }

  onReplyOptions(options: Frame, isFinal: boolean): void {
    this.#metadata.read(options, isFinal);
  }

  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  onProgress(progress: Progress): void {
    this.#caller.onProgress?.(progress);
  }

  onPartial(value: unknown): void {
    this.#caller.onPartial(value);
  }

  onFinal(value: unknown): void {
    this.#caller.onFinal(value);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#caller.onFailure(error);
  }
}

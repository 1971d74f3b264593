// The listeners of a request for the headers of its reply, and for the trailers that follow its last chunk. They are user code: one that
// throws fails its request.

import { AsyncResource } from "node:async_hooks";
import type { HeaderMap } from "@pigato/contract";
import { type Frame, RequestError, type UsageError } from "@pigato/protocol";
import { reasonOf } from "@pigato/protocol/internal";
import type { PacedCaller } from "./call.ts";
import { ReplyMetadata } from "./reply-metadata.ts";
import type { Progress } from "./session/effects.ts";

export type HeaderListener = (headers: HeaderMap) => void;

export interface HeaderListeners {
  readonly onHeaders?: HeaderListener | undefined;
  readonly onTrailers?: HeaderListener | undefined;
}

/** The request that has the listeners. */
interface ListeningRequest {
  readonly service: string;
  /** `undefined` for one that passes interceptors, which has an id for each attempt. */
  readonly requestId: string | undefined;
}

/** @throws RequestError if the listener throws */
export function callListener(
  listeners: HeaderListeners,
  name: keyof HeaderListeners,
  headers: HeaderMap,
  request: ListeningRequest,
): void {
  try {
    listeners[name]?.(headers);
  } catch (error) {
    const message = `request to "${request.service}" failed in its listener ${name}: ${reasonOf(error)}`;
    const failed = new RequestError({ code: "CANCELED", message, delivery: "maybe-executed", detail: error }, request);
    failed.cause = error;
    throw failed;
  }
}

/** A caller whose listeners get the headers before its values. */
export class ListeningCaller implements PacedCaller {
  readonly #caller: PacedCaller;
  readonly #listeners: HeaderListeners;
  readonly #request: ListeningRequest;
  readonly #cancel: (reason: unknown) => void;
  readonly #metadata = new ReplyMetadata();
  #hasBegun = false;
  #hasFailed = false;

  /** @param cancel the request */
  constructor(
    caller: PacedCaller,
    { onHeaders, onTrailers }: HeaderListeners,
    { request, cancel }: { readonly request: ListeningRequest; readonly cancel: (reason: unknown) => void },
  ) {
    this.#caller = caller;
    // In the async context of the request.
    this.#listeners = {
      onHeaders: onHeaders && AsyncResource.bind(onHeaders),
      onTrailers: onTrailers && AsyncResource.bind(onTrailers),
    };
    this.#request = request;
    this.#cancel = cancel;
  }

  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  onReplyOptions(options: Frame, isFinal: boolean): void {
    this.#metadata.read(options, isFinal);
    this.#caller.onReplyOptions?.(options, isFinal);
  }

  onProgress(progress: Progress): void {
    this.#caller.onProgress?.(progress);
  }

  onPartial(value: unknown): void {
    if (this.#begin()) this.#caller.onPartial(value);
  }

  onFinal(value: unknown): void {
    if (this.#begin() && this.#call("onTrailers", this.#metadata.trailers)) this.#caller.onFinal(value);
  }

  /** Has no effect if a listener has failed it. */
  onFailure(error: RequestError | UsageError): void {
    if (!this.#hasFailed) this.#caller.onFailure(error);
  }

  /** The first message of the reply is here. */
  #begin(): boolean {
    if (this.#hasBegun) return !this.#hasFailed;
    this.#hasBegun = true;
    return this.#call("onHeaders", this.#metadata.headers);
  }

  #call(name: keyof HeaderListeners, headers: HeaderMap): boolean {
    try {
      callListener(this.#listeners, name, headers, this.#request);
      return true;
    } catch (error) {
      this.#hasFailed = true;
      this.#cancel(error);
      if (error instanceof RequestError) this.#caller.onFailure(error);
      return false;
    }
  }
}

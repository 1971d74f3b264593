// What a handler writes its answer to. To Node it is a writable stream: `pipe`, `pipeline` and `finished` accept it. It
// is no `Writable` underneath, because there is one for every request and nothing in it to buffer: each chunk leaves at
// once as a message, and back-pressure is the link's. What Node asks of such a stream, seen in its pipeline and
// end-of-stream code: `finish` and `close` come after `end()` has returned; a stream that closes early says so with
// `error` before `close`, because `close` alone counts as success.
//
// What always holds: nothing is sent after the last word, be that `end`, `error`, `reject`, `destroy` or an abort.

import { nextTick } from "node:process";
import {
  display,
  encodePayload,
  type Failure,
  type Frame,
  handlerErrorOf,
  NULL_FRAME,
  RequestError,
  UsageError,
  writeText,
} from "@pigato/protocol";
import { BareEmitter } from "./bare-emitter.ts";
import type { ReplyFormat } from "./dialect.ts";
import { errorBody } from "./reply-body.ts";
import type { Call } from "./session/calls.ts";
import { Sources } from "./sources.ts";

/** What the worker's handlers tell the broker, beside the data. Whatever is set travels; the broker reads what it knows. */
export interface ReplyOptions {
  /**
   * Milliseconds, from the end on, for which the broker may answer equal requests with this reply: those for the same
   * service with the same data, whatever their options. At most 2 147 483 647. Only what is set with every part counts,
   * so set it before the first `write`. Errors are never kept. @defaultValue not at all
   */
  cache?: number;
  [name: string]: unknown;
}

/** What a reply needs of its worker. Every method may be called after the request has ended and then does nothing. */
export interface ReplyPort {
  /** How what the handler says is written. */
  readonly format: ReplyFormat;
  /** @returns whether to go on at once; `false`: wait until the link has caught up */
  partial(call: Call, body: readonly Frame[], options: Frame): boolean;
  /** @returns whether it has left; `false`: parts of the reply wait for a grant, and this behind them */
  final(call: Call, status: 0 | -1, body: readonly Frame[], options: Frame): boolean;
  reject(call: Call, reason: Frame): void;
  requestHeartbeat(call: Call): void;
  /** An error of the stream that none of its listeners took. */
  report(error: Error): void;
}

type Callback = (error?: Error | null) => void;

type State =
  | { readonly phase: "open" }
  /** The handler has said its last word. */
  | { readonly phase: "ended" }
  /** It was cut off: by its handler (`destroy`), or from outside (an abort). */
  | { readonly phase: "destroyed"; readonly error: Error };

const OPEN: State = Object.freeze({ phase: "open" });
const ENDED: State = Object.freeze({ phase: "ended" });
const NO_OPTIONS: Frame = writeText("{}");

export class Reply extends BareEmitter implements NodeJS.WritableStream {
  readonly #port: ReplyPort;
  readonly #call: Call;
  #state: State = OPEN;
  #isClosed = false;
  #hasBegun = false;
  #needsDrain = false;
  /** The last word is said, and waits behind parts that were not granted yet. */
  #isWaiting = false;
  #options: ReplyOptions | undefined;
  #abortReason: RequestError | undefined;
  #controller: AbortController | undefined;
  #sources: Sources | undefined;

  // What the worker does to a reply is static, out of the sight of handlers, which get instances only.

  /** The handler failed. @returns whether the caller could still be told */
  static fail(reply: Reply, error: unknown): boolean {
    if (!reply.active()) return false;
    reply.#finish(-1, [errorBody(error)], NO_OPTIONS);
    return true;
  }

  /** No answer is wanted any more. Nothing is sent; listeners hear of it in the next tick. */
  static abort(reply: Reply, failure: Failure, service: string): void {
    if (!reply.active() && !reply.#isWaiting) return;
    reply.#isWaiting = false;
    reply.#abortReason = new RequestError(failure, { service, requestId: display(reply.#call.requestId) });
    reply.#enter({ phase: "destroyed", error: reply.#abortReason });
    nextTick(Reply.#close, reply);
  }

  /** The last word has left, behind all that waited. */
  static left(reply: Reply): void {
    if (!reply.#isWaiting) return;
    reply.#isWaiting = false;
    nextTick(Reply.#close, reply);
  }

  /** The link has caught up, or the reader has granted more. */
  static drained(this: void, reply: Reply): void {
    if (!reply.#needsDrain) return;
    reply.#needsDrain = false;
    reply.emit("drain");
  }

  constructor(port: ReplyPort, call: Call) {
    super();
    this.#port = port;
    this.#call = call;
  }

  /** Sent to the broker with every chunk and with the end: `reply.opts.cache = 1000`. Empty at first. */
  get opts(): ReplyOptions {
    this.#options ??= {};
    return this.#options;
  }

  set opts(options: ReplyOptions) {
    this.#options = options;
  }

  /** Whether the handler has said its last word: `end`, `error` or `reject`. */
  get ended(): boolean {
    return this.#state.phase === "ended";
  }

  /**
   * Whether an answer is still wanted. `false` once it is given, and when the caller gave up, the connection to the
   * broker is lost or the worker has stopped.
   */
  active(): boolean {
    return this.#state.phase === "open";
  }

  /** Aborts when `active()` turns false for any reason but the handler's own; the reason is a `RequestError`. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /**
   * Sends a partial reply.
   * @returns `false` to ask for a pause until `drain`, because the connection is behind or the caller does not read. What
   *   is written all the same waits in the worker, up to its option `maxHeldBytes`, and then ends the request with `BUSY`. On an aborted reply nothing is sent, and `drain` follows at once.
   * @throws UsageError for `null` and what JSON has no text for, because a chunk must be a value, for what JSON cannot
   *   carry (a cycle, a BigInt), and in a dialect whose replies have no parts
   */
  write(chunk: unknown, callback?: Callback): boolean;
  write(chunk: unknown, encoding?: BufferEncoding, callback?: Callback): boolean;
  write(chunk: unknown, encodingOrCallback?: BufferEncoding | Callback, callback?: Callback): boolean {
    const done = isCallback(encodingOrCallback) ? encodingOrCallback : callback;
    const state = this.#state;
    switch (state.phase) {
      case "open":
        return this.#writeChunk(chunk, done);
      case "ended":
        this.#refuse("write", done);
        return false;
      case "destroyed":
        if (done) nextTick(done, state.error);
        this.#drainSoon();
        return false;
      default:
        return state satisfies never;
    }
  }

  /**
   * Sends the final reply; without data, `null`.
   * @throws UsageError for what JSON cannot carry; the reply stays open then
   */
  end(callback?: Callback): this;
  end(data: unknown, callback?: Callback): this;
  end(data: unknown, encoding?: BufferEncoding, callback?: Callback): this;
  end(dataOrCallback?: unknown, encodingOrCallback?: BufferEncoding | Callback, callback?: Callback): this {
    if (isCallback(dataOrCallback)) return this.end(undefined, dataOrCallback);
    const done = isCallback(encodingOrCallback) ? encodingOrCallback : callback;
    if (this.#state.phase === "ended" && dataOrCallback !== undefined) {
      this.#refuse("end", done);
      return this;
    }
    if (this.#state.phase === "open") {
      this.#finish(0, this.#port.format.final(dataOrCallback), this.#optionsFrame());
    }
    if (done) this.#whenClosed(done);
    return this;
  }

  /**
   * Ends the request with an error: the caller's call rejects. An `Error` crosses the wire as its name, message, code
   * and detail; any other value as it is.
   * @throws UsageError for what JSON cannot carry; the reply stays open then
   */
  error(value?: unknown): void {
    if (this.#state.phase === "ended") this.#refuse("error");
    if (this.#state.phase === "open") {
      this.#finish(-1, [encodePayload(handlerErrorOf(value), NULL_FRAME)], this.#optionsFrame());
    }
  }

  /**
   * Gives the request back: the broker hands it to another worker. The reason is for the broker only.
   * @throws UsageError once a chunk was written (P-REJ-1), because another worker would send it again; and for a reason
   *   that JSON cannot carry; always in a dialect that cannot give a request back
   */
  reject(reason?: unknown): void {
    if (this.#state.phase === "ended") this.#refuse("reject");
    if (this.#state.phase !== "open") return;
    this.#port.format.checkReject();
    if (this.#hasBegun) throw new UsageError("a reply that has begun cannot be rejected; end it with error()");
    const frame = encodePayload(reason, NULL_FRAME);
    this.#enter(ENDED);
    this.#port.reject(this.#call, frame);
    nextTick(Reply.#close, this);
  }

  /**
   * Tells the caller that the request is being worked on, as its client's `heartbeat` event; where that was not negotiated,
   * tells the broker that the worker is alive. The caller's timeout goes on: only a part of the reply starts it anew.
   */
  heartbeat(): void {
    if (this.#state.phase === "open") this.#port.requestHeartbeat(this.#call);
  }

  /** Ends an open request with `error`, as `pipeline` does when its source fails. */
  destroy(error?: unknown): this {
    if (this.#state.phase !== "open") return this;
    const reason =
      error instanceof Error ? error : new Error("the handler destroyed its reply before the end", { cause: error });
    this.#enter({ phase: "destroyed", error: reason });
    this.#port.final(this.#call, -1, [errorBody(error ?? reason)], NO_OPTIONS);
    nextTick(Reply.#close, this);
    return this;
  }

  get writable(): boolean {
    return this.#state.phase === "open";
  }

  get writableEnded(): boolean {
    return this.#state.phase === "ended";
  }

  get writableFinished(): boolean {
    return this.#isClosed && this.#state.phase === "ended";
  }

  get writableNeedDrain(): boolean {
    return this.#needsDrain;
  }

  get writableObjectMode(): true {
    return true;
  }

  get writableErrored(): Error | null {
    return this.#state.phase === "destroyed" ? this.#state.error : null;
  }

  get destroyed(): boolean {
    return this.#state.phase === "destroyed";
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    switch (event) {
      case "pipe":
        this.#sources ??= new Sources((error) => this.destroy(error));
        this.#sources.add(args[0]);
        break;
      case "unpipe":
        this.#sources?.remove(args[0]);
        break;
      case "error":
        // `pipe` emits errors that nobody listens to, and Node's emitter would throw them at the process.
        if (this.listenerCount("error") === 0) return this.#onUnheard(args[0]);
        break;
    }
    return super.emit(event, ...args);
  }

  #writeChunk(chunk: unknown, done: Callback | undefined): boolean {
    let body: readonly Frame[];
    let options: Frame;
    try {
      body = this.#port.format.chunk(chunk);
      options = this.#optionsFrame();
    } catch (error) {
      // A source that writes is no caller that could catch.
      if (this.#sources === undefined || this.#sources.isEmpty) throw error;
      this.destroy(error);
      return false;
    }
    this.#hasBegun = true;
    this.#needsDrain = !this.#port.partial(this.#call, body, options);
    if (done) nextTick(done, this.writableErrored);
    if (this.#needsDrain && !this.active()) this.#drainSoon();
    return !this.#needsDrain;
  }

  #finish(status: 0 | -1, body: readonly Frame[], options: Frame): void {
    this.#enter(ENDED);
    this.#isWaiting = true;
    // If it is cut off on the way, for its parts have not left, it hears of that.
    if (this.#port.final(this.#call, status, body, options)) Reply.left(this);
  }

  /** Tells listeners, in a tick of its own. */
  static #close(this: void, reply: Reply): void {
    const error = reply.writableErrored;
    reply.#isClosed = true;
    if (reply.#abortReason) reply.#controller?.abort(reply.#abortReason);
    if (error === null) reply.emit("finish");
    else reply.emit("error", error);
    reply.emit("close");
  }

  #optionsFrame(): Frame {
    return this.#port.format.options(this.#options);
  }

  /** Something was said after the last word. */
  #refuse(method: string, done?: Callback): void {
    const error = new WriteAfterEndError(`reply.${method}() after the end of request ${display(this.#call.requestId)}`);
    if (done) nextTick(done, error);
    nextTick(() => this.emit("error", error));
  }

  #onUnheard(error: unknown): boolean {
    // What closed the reply is known to its caller, or to its worker, already.
    if (error instanceof Error && error !== this.writableErrored) this.#port.report(error);
    return false;
  }

  /** A handler that waits for `drain` on an aborted reply goes on, and sees that it is not active. */
  #drainSoon(): void {
    this.#needsDrain = true;
    nextTick(Reply.drained, this);
  }

  #whenClosed(done: Callback): void {
    if (this.#isClosed) nextTick(done, this.writableErrored);
    else this.once("close", () => done(this.writableErrored));
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

class WriteAfterEndError extends Error {
  override readonly name = "WriteAfterEndError";
  /** As of Node's own streams. */
  readonly code = "ERR_STREAM_WRITE_AFTER_END";
}

function isCallback(value: unknown): value is Callback {
  return typeof value === "function";
}

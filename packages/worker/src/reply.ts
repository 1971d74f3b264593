// The reply to one request, as its handler sees it. Node accepts it as a writable stream in `pipe`, `pipeline` and `finished`.
// It is not a `Writable`, because each request has one and it buffers nothing: each chunk is a message, and the session does
// the flow control. Node requires that `finish` and `close` follow after `end()` has returned, and that a stream that closes
// early emits `error` before `close`, because `close` alone means success.
//
// Invariant: nothing is sent after the final message, which comes from `end`, `error`, `reject`, `destroy` or an abort.

import { nextTick } from "@pigato/peer";
import type { CallId } from "@pigato/peer/session";
import {
  display,
  encodePayload,
  type Failure,
  type Frame,
  NULL_FRAME,
  RequestError,
  type RequestId,
  UsageError,
  writeText,
} from "@pigato/protocol";
import { isError } from "@pigato/protocol/internal";
import { ReplyAbort } from "./reply-abort.ts";
import { encodeError, errorBody } from "./reply-body.ts";
import { LazyEmitter, PipedSources, WriteAfterEndError } from "./reply-emitter.ts";
import { type InputStream, ReplyInput } from "./reply-input.ts";
import type { ReplyOptions, ReplyPort } from "./reply-port.ts";
import { NO_INFO, type RequestInfo } from "./request-info.ts";

type Callback = (error?: Error | null) => void;

type State =
  | { readonly phase: "open" }
  /** The handler has passed the final message. */
  | { readonly phase: "ended" }
  /** Ended early, by `destroy` or by an abort. */
  | { readonly phase: "destroyed"; readonly error: Error };

const OPEN: State = Object.freeze({ phase: "open" });
const ENDED: State = Object.freeze({ phase: "ended" });
/** As of a stream of objects in Node. */
const HIGH_WATER_MARK = 16;
const NO_OPTIONS: Frame = writeText("{}");

export class Reply extends LazyEmitter implements NodeJS.WritableStream {
  /** What came with the request besides its data: headers, deadline, caller, attempt. */
  info: RequestInfo = NO_INFO;
  readonly #port: ReplyPort;
  readonly #call: CallId;
  readonly #requestId: RequestId;
  #service = "";
  #state: State = OPEN;
  #isClosed = false;
  #hasBegun = false;
  #needsDrain = false;
  /** The final message waits behind partials and has not been sent. */
  #isFinishing = false;
  #options: ReplyOptions | undefined;
  #abort: ReplyAbort | undefined;
  #sources: PipedSources | undefined;
  #input: ReplyInput | undefined;

  // The worker's own operations on a reply are static, so that handlers, which get instances, do not see them. They accept
  // `undefined` for a reply that the worker no longer has.

  /** Sets the name that the client requested, as a byte string. */
  static setService(reply: Reply, service: string): void {
    reply.#service = service;
  }

  /** The request has streamed input. */
  static setInput(reply: Reply, input: ReplyInput): void {
    reply.#input = input;
  }

  static inputOf(reply: Reply | undefined): ReplyInput | undefined {
    return reply === undefined ? undefined : reply.#input;
  }

  /** The handler failed. @returns whether the client can still get the error */
  static fail(reply: Reply, error: unknown, hasStack = false): boolean {
    if (!reply.active()) return false;
    reply.#end(-1, [errorBody(error, { hasBegun: reply.#hasBegun, hasStack })], NO_OPTIONS);
    return true;
  }

  /** The request has ended without its handler. Sends nothing. Listeners are notified in the next tick. */
  static abort(reply: Reply | undefined, failure: Failure, service: string): void {
    if (reply === undefined || (!reply.active() && !reply.#isFinishing)) return;
    reply.#isFinishing = false;
    const error = new RequestError(failure, { service, requestId: display(reply.#requestId) });
    reply.#abort ??= new ReplyAbort();
    reply.#abort.begin(error);
    reply.#enter({ phase: "destroyed", error });
    nextTick(Reply.#close, reply);
  }

  /** The final message has been sent. */
  static finish(reply: Reply | undefined): void {
    if (reply === undefined || !reply.#isFinishing) return;
    reply.#isFinishing = false;
    nextTick(Reply.#close, reply);
  }

  /** The link or the client is slow: the handler should wait for `drain`. */
  static pause(reply: Reply | undefined): void {
    if (reply !== undefined) reply.#needsDrain = true;
  }

  static drain(this: void, reply: Reply | undefined): void {
    if (reply === undefined || !reply.#needsDrain) return;
    reply.#needsDrain = false;
    reply.emit("drain");
  }

  constructor(port: ReplyPort, call: CallId, id: RequestId) {
    super();
    this.#port = port;
    this.#call = call;
    this.#requestId = id;
  }

  /**
   * The name that the client requested: for a worker of `stock-*` a name such as `stock-acme`, and for one of `price@1.2.0` with the
   * client's range. Majordomo does not carry it: there it is the worker's own service.
   */
  get service(): string {
    return display(this.#service);
  }

  /**
   * The chunks that the client streams to this request: `for await (const chunk of reply.input)`, or a source of `pipeline`. Empty
   * without streamed input. The client sends nothing before the handler reads; a request whose input was read cannot be rejected.
   */
  get input(): InputStream {
    this.#input ??= ReplyInput.none();
    return this.#input.stream;
  }

  /** Options that are sent to the broker with every chunk and with the end: `reply.opts.cache = 1000`. Empty at first. */
  get opts(): ReplyOptions {
    this.#options ??= {};
    return this.#options;
  }

  set opts(options: ReplyOptions) {
    this.#options = options;
  }

  /** Whether the handler has called `end`, `error` or `reject`. */
  get ended(): boolean {
    return this.#state.phase === "ended";
  }

  /**
   * Whether the client still waits for the reply. `false` after the end, and after the client canceled, the connection to the
   * broker was lost or the worker stopped.
   */
  active(): boolean {
    return this.#state.phase === "open";
  }

  /**
   * Aborts when `active()` becomes `false` for any reason except the handler's own call. The reason is a `RequestError`, whose code says why:
   * `CANCELED`, `DEADLINE_EXCEEDED`, `CLOSED` if the client or the broker is gone, `BROKER_LOST`.
   */
  get signal(): AbortSignal {
    this.#abort ??= new ReplyAbort();
    return this.#abort.signal;
  }

  /**
   * Sends a partial reply.
   * @returns `false` if the handler should pause until `drain`, because the connection is slow or the caller does not read.
   * Chunks that are written during a pause wait in the worker, up to its option `maxHeldBytes`; beyond it the request ends with
   * `BUSY`. An aborted reply sends nothing and emits `drain` at once.
   * @throws UsageError for `null` and values that JSON writes as null, because a chunk must be a value; for values that JSON
   * cannot represent (a cycle, a BigInt); and in a dialect without partials
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
   * Sends the final reply; `null` without data.
   * @throws UsageError for values that JSON cannot represent; the reply then stays open
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
      const { format } = this.#port;
      const excess = this.#port.excessOf(dataOrCallback);
      this.#end(0, excess ? [] : format.final(dataOrCallback), format.options(this.#options, dataOrCallback), excess);
    }
    if (done) this.#whenClosed(done);
    return this;
  }

  /**
   * Ends the request with an error: the caller's call rejects. An `Error` is sent as its name, message, code and detail; any
   * other value unchanged.
   * @throws UsageError for values that JSON cannot represent; the reply then stays open
   */
  error(value?: unknown): void {
    if (this.#state.phase === "ended") this.#refuse("error");
    if (this.#state.phase === "open") {
      const options = this.#port.format.options(this.#options);
      this.#end(-1, [encodeError(value, { hasBegun: this.#hasBegun })], options);
    }
  }

  /**
   * Rejects the request: the broker requeues it for another worker. The reason is for the broker only.
   * @throws UsageError after the first chunk (P-REJ-1), because another worker would send it again; for a reason that JSON
   * cannot represent; and always in a dialect without rejections
   */
  reject(reason?: unknown): void {
    if (this.#state.phase === "ended") this.#refuse("reject");
    if (this.#state.phase !== "open") return;
    this.#port.format.checkReject();
    if (this.#hasBegun || this.#input?.isInUse) {
      throw new UsageError("a reply that has begun, or whose input was read, cannot be rejected; end it with error()");
    }
    const frame = encodePayload(reason, NULL_FRAME);
    this.#enter(ENDED);
    this.#isFinishing = true;
    this.#port.apply({ type: "reject", call: this.#call, reason: frame });
  }

  /**
   * Notifies the client that the request still runs: its stream emits `heartbeat`. Without negotiated request heartbeats, sends
   * the worker's own heartbeat to the broker. Does not restart the client's timeout: only a chunk does.
   */
  heartbeat(): void {
    if (this.#state.phase === "open") this.#port.apply({ type: "request-heartbeat", call: this.#call });
  }

  /** Ends an open request with `error`, as `pipeline` does when its source fails. */
  destroy(error?: unknown): this {
    if (this.#state.phase !== "open") return this;
    const reason = isError(error)
      ? error
      : new Error("the handler destroyed its reply before the end", { cause: error });
    this.#enter({ phase: "destroyed", error: reason });
    this.#sendFinal(-1, [errorBody(error ?? reason, { hasBegun: this.#hasBegun })], NO_OPTIONS);
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

  /** `Writable.toWeb` requires a number. What `write` returns does not depend on it. */
  get writableHighWaterMark(): number {
    return HIGH_WATER_MARK;
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
        this.#sources ??= new PipedSources((error) => this.destroy(error));
        this.#sources.add(args[0]);
        break;
      case "unpipe":
        this.#sources?.remove(args[0]);
        break;
      case "error":
        // Node's emitter would throw an error that `pipe` emits without a listener.
        if (this.listenerCount("error") === 0) return this.#onUnheard(args[0]);
        break;
    }
    return super.emit(event, ...args);
  }

  #writeChunk(chunk: unknown, done: Callback | undefined): boolean {
    let body: readonly Frame[];
    let options: Frame;
    const excess = this.#port.excessOf(chunk);
    try {
      body = excess === undefined ? this.#port.format.chunk(chunk) : [];
      options = this.#port.format.options(this.#options, chunk);
    } catch (error) {
      // A piped source cannot catch an exception.
      if (this.#sources === undefined || this.#sources.isEmpty) throw error;
      this.destroy(error);
      return false;
    }
    this.#hasBegun = true;
    this.#port.apply({ type: "partial", call: this.#call, body, options, excess });
    if (done) nextTick(done, this.writableErrored);
    if (!this.active()) this.#drainSoon();
    return !this.#needsDrain;
  }

  #end(status: 0 | -1, body: readonly Frame[], options: Frame, excess?: string): void {
    this.#enter(ENDED);
    this.#isFinishing = true;
    this.#sendFinal(status, body, options, excess);
  }

  #sendFinal(status: 0 | -1, body: readonly Frame[], options: Frame, excess?: string): void {
    this.#port.apply({ type: "final", call: this.#call, status, body, options, excess });
  }

  /** Notifies listeners. Runs in its own tick. */
  static #close(this: void, reply: Reply): void {
    const error = reply.writableErrored;
    reply.#isClosed = true;
    reply.#input?.close(error ?? undefined);
    reply.#abort?.notify();
    if (error === null) reply.emit("finish");
    else reply.emit("error", error);
    reply.emit("close");
  }

  /** The handler called a method after the end. */
  #refuse(method: string, done?: Callback): void {
    const request = `request ${display(this.#requestId)} to "${this.service}"`;
    const error = new WriteAfterEndError(`reply.${method}() after the end of ${request}`);
    if (done) nextTick(done, error);
    nextTick(() => this.emit("error", error));
  }

  #onUnheard(error: unknown): boolean {
    // The client or the worker already knows the error that closed the reply.
    if (isError(error) && error !== this.writableErrored) this.#port.report(error);
    return false;
  }

  /** Wakes a handler that waits for `drain` on an aborted reply, so that it can check `active()`. */
  #drainSoon(): void {
    this.#needsDrain = true;
    nextTick(Reply.drain, this);
  }

  #whenClosed(done: Callback): void {
    if (this.#isClosed) nextTick(done, this.writableErrored);
    else this.once("close", () => done(this.writableErrored));
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

function isCallback(value: unknown): value is Callback {
  return typeof value === "function";
}

// Turns what callers pass into requests and submits them. Options that do not change from call to call are resolved once, in a target.

import type { AnyRequest, Interceptor, RetryPolicy } from "@pigato/contract";
import { takesChunks } from "@pigato/contract/internal";
import { excessOfValue, isRawValue, queueMicrotask, readService } from "@pigato/peer";
import { display, type Frame, type RequestId, type ServiceName, UsageError } from "@pigato/protocol";
import { setImmediate, wallClock } from "@pigato/transport";
import { nanoid } from "nanoid";
import { AbortSignals } from "./abort-signals.ts";
import { AbortableCaller, type CallControl, FinalCaller, type PacedCaller, ReplyStream, StreamCaller } from "./call.ts";
import { bodyWith, type CallOptions, type ResolvedCallOptions } from "./call-options.ts";
import { ContextCaller } from "./caller-context.ts";
import type { Driver } from "./driver.ts";
import { type HeaderListeners, ListeningCaller } from "./header-listeners.ts";
import { InputCaller } from "./input-caller.ts";
import { InputPump } from "./input-pump.ts";
import { InvalidChunk, isInputSource, type RequestInputSource, SourceChunks } from "./input-source.ts";
import type { InterceptedPort, OutgoingRequest } from "./intercepted-call.ts";
import { interceptStream, interceptValue } from "./intercepted-output.ts";
import type { MethodCallOptions } from "./methods/api.ts";
import { CallPolicies } from "./methods/call-policies.ts";
import type { MethodInfo, MethodPort, Target } from "./methods/method-port.ts";
import type { ClientSettings } from "./options.ts";
import { MetadataCaller, type ReplyMetadata } from "./reply-metadata.ts";
import { callOf, requestIdOf } from "./session/calls.ts";
import type { RequestMessage } from "./session/effects.ts";
import { canceled, errorOf } from "./session/failures.ts";

/** A request that is ready to be sent, and the signal that can cancel it. */
export interface Prepared {
  readonly message: RequestMessage;
  readonly signal: AbortSignal | undefined;
  /** Of streamed input. */
  readonly source: unknown;
  readonly listeners: HeaderListeners | undefined;
}

const NO_BYTES = new Uint8Array();
const NO_FRAMES: readonly Frame[] = Object.freeze([]);

/** Chunks do not travel with the data. */
function dataOf(request: AnyRequest): unknown {
  return takesChunks(request.kind) ? null : request.input;
}

/** How the messages of a streamed reply are read. */
interface StreamReading {
  readonly metadata?: ReplyMetadata | undefined;
  readonly readChunk?: ((chunk: unknown) => unknown) | undefined;
}

export class Requester implements MethodPort {
  readonly control: CallControl;
  readonly signals: AbortSignals = new AbortSignals();
  /** Those of `client.use`. Replaced to add one. */
  interceptors: readonly Interceptor[] = [];
  readonly #settings: ClientSettings;
  readonly #driver: Driver;
  readonly #intercepted: InterceptedPort;
  readonly #policies: CallPolicies;
  /** The options of a request that sets none. */
  readonly #defaults: ResolvedCallOptions;
  /** Whether the next request may be the first before a start. */
  #checksStart = true;
  // The original's broker stores the requests of all clients by their ids alone, so ids must be globally unique.
  readonly #idPrefix = `${nanoid(12)}-`;
  #lastCall = 0;
  /** Sources of input that were read, of which another request would get the rest only. */
  readonly #startedSources = new WeakSet<object>();

  constructor(settings: ClientSettings, driver: Driver) {
    this.#settings = settings;
    this.#driver = driver;
    this.#intercepted = { clock: settings.clock, signals: this.signals };
    this.#policies = new CallPolicies(settings);
    this.#defaults = settings.speaker.resolveCallOptions({}, settings);
    this.control = {
      hasCallerStacks: settings.callerStacks,
      cancel: (id, reason) => driver.apply({ type: "cancel", requestId: id, reason }),
      read: (id, chunks) => driver.apply({ type: "read", requestId: id, chunks }),
      heartbeat: (id) => {
        settings.speaker.checkMethod("heartbeat()");
        driver.apply({ type: "request-heartbeat", requestId: id });
      },
    };
  }

  /** An invalid policy fails each request. */
  retrying(policy: RetryPolicy): Interceptor {
    return (next) => this.#policies.retry(policy)(next);
  }

  onStart(): void {
    this.#checksStart = false;
  }

  /** @throws UsageError for invalid arguments */
  prepare(service: string, data: unknown, options: CallOptions | undefined): Prepared {
    const { speaker } = this.#settings;
    const resolved = options === undefined ? this.#defaults : speaker.resolveCallOptions(options, this.#settings, data);
    return this.#prepared(readService(service), resolved, data);
  }

  /** @throws UsageError for input that was read before */
  submit({ message, signal, source, listeners }: Prepared, caller: PacedCaller, isPaced = false): void {
    if (this.#checksStart) this.#checkStart(message);
    const reading = listeners === undefined ? caller : this.#listening(message, caller, listeners);
    const receiver = source === undefined ? reading : new InputCaller(reading, this.#pump(message, source));
    if (signal === undefined) return this.#driver.open(message, receiver, isPaced);
    if (signal.aborted) {
      const error = errorOf(message, canceled(message, "not-sent", signal.reason));
      return queueMicrotask(() => receiver.onFailure(error));
    }
    const shared = this.signals.of(signal);
    const abortable = new AbortableCaller(receiver, shared, (reason) => this.control.cancel(message.requestId, reason));
    this.#driver.open(message, abortable, isPaced);
  }

  #listening({ requestId, service }: RequestMessage, caller: PacedCaller, listeners: HeaderListeners): PacedCaller {
    return new ListeningCaller(caller, listeners, {
      request: { service: display(service), requestId: display(requestId) },
      cancel: (reason) => this.control.cancel(requestId, reason),
    });
  }

  #pump({ requestId, service, options: { inputCodec } }: RequestMessage, source: unknown): InputPump {
    const { speaker, allowLoss } = this.#settings;
    const how = { service, codec: inputCodec, allowLoss };
    return new InputPump(source, {
      onStart: (started) => this.#noteStarted(started),
      encode: (chunk) => frameOf(chunk, () => speaker.encodeData(chunk, how)),
      write: (chunk) => this.#driver.apply({ type: "input", requestId, chunk }),
      end: () => this.#driver.apply({ type: "input-end", requestId }),
      fail: (error) => this.#onSourceFailed(requestId, error),
    });
  }

  #onSourceFailed(requestId: RequestId, error: unknown): void {
    if (!(error instanceof InvalidChunk)) return this.control.cancel(requestId, error);
    const { message, detail } = error;
    this.#driver.apply({ type: "input-invalid", requestId, message, detail });
  }

  #noteStarted(source: object): void {
    if (!this.#startedSources.has(source)) return void this.#startedSources.add(source);
    throw new UsageError("the input of this request was read before: pass a function that returns a new source");
  }

  inContext(caller: PacedCaller): ContextCaller {
    return new ContextCaller(caller, this.#settings.callerStacks);
  }

  target(info: MethodInfo, { retry, ...options }: MethodCallOptions, input?: RequestInputSource): Target {
    const { service, method, definition } = info;
    const call = { ...options, method, input, ...(definition === undefined && { args: true }) };
    if (typeof retry !== "object") return { ...info, ...this.#resolve(service, { ...call, retry }) };
    return { ...info, ...this.#resolve(service, call), chain: info.chain.with(this.#policies.retry(retry)) };
  }

  call(target: Target, data: unknown): Promise<unknown> {
    const { next } = target.chain;
    if (next === undefined) return this.#call(target, data);
    return interceptValue(next, this.#outgoing(target, data), this.#intercepted, (request, options, metadata) =>
      this.#call(this.#attempt(target, request, options), dataOf(request), metadata),
    );
  }

  stream(target: Target, data: unknown, readChunk?: (chunk: unknown) => unknown): ReplyStream {
    const { next } = target.chain;
    if (next === undefined) return this.#stream(target, data, { readChunk });
    return interceptStream(next, this.#outgoing(target, data), this.#intercepted, (request, options, metadata) => {
      return this.#stream(this.#attempt(target, request, options), dataOf(request), { metadata, readChunk });
    });
  }

  #call(target: Target, data: unknown, metadata?: ReplyMetadata): Promise<unknown> {
    return new Promise((resolve) => {
      const caller = new FinalCaller(resolve, target.service, target);
      this.submit(
        this.#preparedFor(target, data),
        metadata === undefined ? caller : new MetadataCaller(caller, metadata),
      );
    });
  }

  #stream(target: Target, data: unknown, { metadata, readChunk }: StreamReading): ReplyStream {
    const prepared = this.#preparedFor(target, data);
    const stream = new ReplyStream(prepared.message.requestId, this.control);
    const { toError } = target;
    const caller = new StreamCaller(stream, readChunk === undefined ? { toError } : { toError, readChunk });
    const reading = metadata === undefined ? caller : new MetadataCaller(caller, metadata);
    this.submit(prepared, this.inContext(reading), true);
    return stream;
  }

  #resolve(service: string, options: CallOptions): Omit<Target, keyof MethodInfo> {
    const { speaker } = this.#settings;
    return {
      name: readService(service),
      options,
      resolved: speaker.resolveCallOptions(options, this.#settings),
      ...(options.codec === "raw" && { forBytes: speaker.resolveCallOptions(options, this.#settings, NO_BYTES) }),
      onLeftOut: this.onLeftOut,
    };
  }

  #outgoing({ service, method, definition, options, resolved }: Target, data: unknown): OutgoingRequest {
    const { timeoutMs } = resolved.options;
    const input = options.input === undefined ? data : new SourceChunks(options.input);
    return { kind: definition?.kind ?? "unary", service, method, definition, input, options, timeoutMs };
  }

  /** The target of a request as the last interceptor left it. */
  #attempt(target: Target, request: AnyRequest, options: CallOptions): Target {
    if (!takesChunks(request.kind)) return { ...target, ...this.#resolve(target.service, options) };
    const input = SourceChunks.sourceOf(request.input);
    if (!isInputSource(input)) throw new UsageError("an interceptor changed the input to what is no stream of chunks");
    return { ...target, ...this.#resolve(target.service, { ...options, input }) };
  }

  /** Whether this client made a request with this id. */
  hasMade(id: RequestId): boolean {
    const call = callOf(id);
    return call <= this.#lastCall && id === requestIdOf(this.#idPrefix, call);
  }

  readonly onLeftOut = (service: string, chunks: number): void => {
    const text = `a call to "${service}" resolved to the last chunk of a reply without a final value, and left out ${chunks} before it: use collect()`;
    this.#settings.warnings.warn("PIGATO_LAST_CHUNK", text, { service, chunks });
  };

  #preparedFor(target: Target, data: unknown): Prepared {
    const { name, forBytes } = target;
    const resolved = forBytes !== undefined && isRawValue(data) ? forBytes : target.resolved;
    return this.#prepared(name, resolved, data);
  }

  #prepared(service: ServiceName, resolved: ResolvedCallOptions, data: unknown): Prepared {
    const { options, trailer, hasHeaders, deadline, signal, source, listeners, inBody } = resolved;
    const { speaker, allowLoss } = this.#settings;
    const { codec } = options;
    const value = inBody === undefined ? data : bodyWith(inBody, data);
    const bounds = this.#driver.knownBounds;
    const excess = bounds === undefined ? undefined : excessOfValue(value, bounds, codec);
    const body = excess === undefined ? speaker.encodeData(value, { service, codec, allowLoss }) : NO_FRAMES;
    const requestId = this.#nextRequestId();
    const deadlineMs = typeof deadline === "object" ? Math.max(0, deadline.getTime() - wallClock()) : deadline;
    // HOT: one literal, because a spread of another object costs more than the rest of this function.
    return {
      message: { type: "request", service, requestId, body, trailer, hasHeaders, deadlineMs, options, excess },
      signal,
      source,
      listeners,
    };
  }

  #nextRequestId(): RequestId {
    this.#lastCall = this.#driver.nextCall();
    return requestIdOf(this.#idPrefix, this.#lastCall);
  }

  /** Warns, once, unless `start()` follows soon. */
  #checkStart({ service }: RequestMessage): void {
    this.#checksStart = false;
    const text = `a request to "${display(service)}" waits, because its client was not started: call client.start()`;
    setImmediate(() => {
      if (this.#driver.runtime.lifecycle.isNew) this.#settings.warnings.warn("PIGATO_NOT_STARTED", text, {});
    });
  }
}

/** @throws UsageError for what a stream cannot carry */
function frameOf(chunk: unknown, encode: () => readonly Frame[]): Frame {
  const [frame] = chunk === null || chunk === undefined ? [] : encode();
  if (frame === undefined) throw new UsageError("a chunk of input must be a value, not null or undefined");
  return frame;
}

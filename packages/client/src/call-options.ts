// The options of one request, and how they are encoded. The package `pigato` imports this file as `@pigato/client/internal`,
// which has no semver promise, for `CLASSIC_OPTIONS`.
//
// `timeout` and `retry` are always sent, as on the classic wire; `signal` never is.

import { types } from "node:util";
import type { RetryPolicy } from "@pigato/contract";
import {
  bit,
  bodyCodecs,
  choice,
  custom,
  encodeJson,
  invalidValue,
  isRawValue,
  type Option,
  type OptionsOf,
  optionalCallable,
  readOption,
  rejectJsonLoss,
  rejectUnknownOptions,
} from "@pigato/peer";
import { encodePayload, type Frame, type PeerId, UsageError, writeText } from "@pigato/protocol";
import type { HeaderFields } from "@pigato/protocol/internal";
import {
  BODY_CODEC_NAMES,
  type BodyCodecName,
  DEFAULT_SIZE_BOUNDS,
  excessOf,
  isBytes,
  isMethodName,
  isWellFormed,
  MAX_NAME_BYTES,
  MAX_OPTIONS_BYTES,
  peerIdFromText,
  type RequestCodecs,
  timeoutToWire,
  UNDEFINED_FRAME,
  writeRawBody,
} from "@pigato/protocol/internal";
import type { HeaderListener, HeaderListeners } from "./header-listeners.ts";
import { isByteSource, isInputSource, type RequestInputSource } from "./input-source.ts";
import { encodeHeaders, isHeaders } from "./request-headers.ts";
import type { ClientRequestOptions } from "./session/effects.ts";

export const MAX_DURATION_MS = 2_147_483_647;
const MAX_ATTEMPTS = 1_000;

export class CallSchema {
  /** Milliseconds without any reply after which the request fails; −1 is no limit, 0 expires at once. @defaultValue the client's */
  readonly timeout: Option<number> = timeoutOption(0);
  /**
   * Milliseconds from the call, or a Date, after which the request fails with `DEADLINE_EXCEEDED`, whatever replies arrive, and however
   * often it is sent. The broker and the worker know the time that is left, where they support it. @defaultValue no deadline
   */
  readonly deadline: Option<number | Date, number | Date | undefined> = custom<
    number | Date,
    number | Date | undefined
  >({
    unit: "ms",
    expected: `a number of milliseconds from 0 to ${MAX_DURATION_MS}, or a Date`,
    read: (value) => (isDeadline(value) ? value : undefined),
    default: undefined,
  });
  /**
   * Milliseconds that it may wait for a worker. Then it fails with `UNAVAILABLE`; a retry is safe unless an earlier worker was lost. Applies
   * each time that it waits: in the client for a connection, and in the broker for a free worker. With a broker that does not support it, or with
   * `negotiate: false`, the request fails with a `UsageError`. @defaultValue no limit
   */
  readonly acceptTimeout: Option<number, number | undefined> = custom<number, number | undefined>({
    unit: "ms",
    expected: `a number of milliseconds from 0 to ${MAX_DURATION_MS}`,
    read: (value) => (isDuration(value) ? value : undefined),
    default: undefined,
  });
  /**
   * Whether it is sent again when its worker is lost, or its broker is lost or stops, before the first reply. `true` allows 10
   * attempts in all, a number from 2 that many; 1 is `true`, as on the classic wire. After the last attempt, it fails. A policy, as of
   * `retry()` in `@pigato/policies`, instead lets this client send it again after pauses; not for `open()` and `broadcast()`.
   * @defaultValue the client's
   */
  readonly retry: Option<boolean | number | RetryPolicy, boolean | number> = retryOption();
  /** The only worker that may handle it: 1 to 255 bytes. @defaultValue any worker */
  readonly workerId: Option<string, PeerId | undefined> = custom<string, PeerId | undefined>({
    expected: `text of 1 to ${MAX_NAME_BYTES} bytes of UTF-8`,
    read: readWorkerId,
    default: undefined,
  });
  /**
   * The method of the service: 1 to 255 bytes without control characters. A worker that does not read it from the options gets it with
   * the data, as `{ args: [data], kwargs: {}, method }`. @defaultValue none: the service itself
   */
  readonly method: Option<string, string | undefined> = custom<string, string | undefined>({
    expected: `text of 1 to ${MAX_NAME_BYTES} bytes of UTF-8 without control characters`,
    read: (value) => (isMethodName(value) ? value : undefined),
    default: undefined,
  });
  /** Whether the data is the array of the method's arguments, instead of its one argument. @defaultValue false */
  readonly args: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /** Whether a worker must run it, even if the broker has a cached reply to an equal request. @defaultValue false */
  readonly nocache: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /**
   * Whether the broker stores it until it has ended, and runs it after a restart. It may then run twice, and runs though this
   * client is gone. With `clientId`, it stays open when the connection is lost. @defaultValue false
   */
  readonly persist: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /** Whether it fails with `UNAVAILABLE` at once instead of waiting for a first worker. @defaultValue false */
  readonly failFast: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /** Whether to be notified when it is queued and which worker gets it, where the broker can: events of its stream. @defaultValue false */
  readonly notices: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /**
   * Names and values for the worker: its handler finds them in `opts.headers`, with names in lower case. At most 8192 bytes as JSON, without
   * control characters; more is a UsageError. @defaultValue none
   */
  readonly headers: Option<HeaderFields> = custom<HeaderFields>({
    expected: "a plain object whose values are strings",
    read: (value) => (isHeaders(value) ? value : undefined),
    default: {},
  });
  /**
   * How data is written, where broker and worker support it: `raw` for bytes as they are, a `Uint8Array` or an `ArrayBuffer`, while
   * all other data stays JSON; `msgpack` for MessagePack, which needs the package `msgpackr`. The worker replies likewise; if it
   * cannot, a request with such a body fails with a `UsageError`. @defaultValue "json"
   */
  readonly codec: Option<BodyCodecName | "json"> = choice({ choices: ["json", ...BODY_CODEC_NAMES], default: "json" });
  /**
   * Chunks to stream to the worker, as much as its handler reads: an iterable, an async iterable such as a Node stream, a web
   * `ReadableStream`, a `Blob` or bytes, or a function that returns one of these, which `retry` calls again. Without `codec`, a
   * `Blob`, bytes and Node streams of bytes are sent as they are. @defaultValue none
   */
  readonly input: Option<RequestInputSource, RequestInputSource | undefined> = custom<
    RequestInputSource,
    RequestInputSource | undefined
  >({
    expected: "an iterable, a stream, a Blob, bytes or a function that returns one",
    read: (value) => (isInputSource(value) ? value : undefined),
    default: undefined,
  });
  /**
   * Called once with the headers of the reply, before its first chunk or its value; empty if the worker sent none, or cannot. Not called if the
   * request fails before that. A listener that throws fails its request with `CANCELED`. @defaultValue none
   */
  readonly onHeaders: Option<HeaderListener, HeaderListener | undefined> = optionalCallable<HeaderListener>();
  /** As `onHeaders`, with the headers that follow the last chunk, before the reply ends. Not called if the request fails. @defaultValue none */
  readonly onTrailers: Option<HeaderListener, HeaderListener | undefined> = optionalCallable<HeaderListener>();
  /** Ends the request with `CANCELED` when it aborts; the worker is notified. @defaultValue none */
  readonly signal: Option<AbortSignal, AbortSignal | undefined> = custom<AbortSignal, AbortSignal | undefined>({
    expected: "an AbortSignal",
    read: (value) => (isAbortSignal(value) ? value : undefined),
    default: undefined,
  });
}

const SCHEMA: CallSchema = new CallSchema();

export interface CallOptions extends OptionsOf<CallSchema> {}

/**
 * A key of the call options for options of npm `pigato`, which allows any option with any value. Its object is sent unchanged;
 * options of the request with the same names replace its entries.
 */
export const CLASSIC_OPTIONS: unique symbol = Symbol("classic options");

/** The client's values, for options that a request does not set. */
export interface CallDefaults {
  /** `Infinity` is no timeout. */
  readonly timeout: number;
  readonly retry: boolean | number;
}

/** The method of a request whose wire has no options for it: it travels with the data (P-CALL-2). */
interface MethodInBody {
  readonly method: string;
  /** Whether the data is the array of the arguments. */
  readonly hasArgs: boolean;
}

export interface ResolvedCallOptions {
  readonly options: ClientRequestOptions;
  readonly inBody?: MethodInBody;
  /** The options as they are sent, and the headers. */
  readonly trailer: readonly Frame[];
  readonly hasHeaders: boolean;
  /** The time from the call to the deadline, or the deadline. */
  readonly deadline: number | Date | undefined;
  readonly signal: AbortSignal | undefined;
  /** Of streamed input. */
  readonly source: RequestInputSource | undefined;
  /** For the headers of the reply. */
  readonly listeners: HeaderListeners | undefined;
}

/**
 * @param data of the request: the codec of its body may depend on it
 * @throws UsageError for an unknown option, a value out of its bounds, or one that JSON cannot carry
 */
export function resolveCallOptions(input: CallOptions, defaults: CallDefaults, data?: unknown): ResolvedCallOptions {
  if (typeof input !== "object" || input === null) {
    throw invalidValue("the options of a request", "an object", input);
  }
  rejectUnknownOptions("a request", SCHEMA, input);
  const { signal, input: source, deadline, headers: given, onHeaders, onTrailers, ...sent } = input;
  const headers = given === undefined ? undefined : encodeHeaders(readOption("headers", SCHEMA.headers, given));
  const retry = sent.retry === undefined ? defaults.retry : readOption("retry", SCHEMA.retry, sent.retry);
  const codecs =
    sent.codec === undefined ? codecsOf(source) : codecsFor(readOption("codec", SCHEMA.codec, sent.codec), data);
  const options: ClientRequestOptions = {
    timeoutMs: sent.timeout === undefined ? defaults.timeout : readOption("timeout", SCHEMA.timeout, sent.timeout),
    retry: retry !== false,
    maxAttempts: typeof retry === "number" ? retry : undefined,
    worker: sent.workerId === undefined ? undefined : readOption("workerId", SCHEMA.workerId, sent.workerId),
    failFast: sent.failFast === undefined ? false : readOption("failFast", SCHEMA.failFast, sent.failFast),
    noCache: sent.nocache === undefined ? false : readOption("nocache", SCHEMA.nocache, sent.nocache),
    persist: sent.persist === undefined ? false : readOption("persist", SCHEMA.persist, sent.persist),
    notices: sent.notices === undefined ? false : readOption("notices", SCHEMA.notices, sent.notices),
    hasInput: source !== undefined,
    ...codecs,
    ...acceptTimeoutIn(sent),
  };
  if (sent.method !== undefined) readOption("method", SCHEMA.method, sent.method);
  if (sent.args !== undefined) readOption("args", SCHEMA.args, sent.args);
  const classic: unknown = Reflect.get(input, CLASSIC_OPTIONS);
  // The classic options come first and keep their order, as the original writes them.
  const written = {
    ...(typeof classic === "object" ? classic : undefined),
    ...sent,
    ...(codecs && { codec: codecs.codec, accept: codecs.codec === undefined ? codecs.accept : undefined }),
    timeout: timeoutToWire(options.timeoutMs),
    retry: Number(retry),
    ...(source !== undefined && { input: 1, inputCodec: codecs?.inputCodec }),
  };
  if (source !== undefined) checkInput(source, options);
  return {
    options,
    trailer: headers === undefined ? [encodeOptions(written)] : [encodeOptions(written), headers],
    hasHeaders: headers !== undefined,
    deadline: deadline === undefined ? undefined : readOption("deadline", SCHEMA.deadline, deadline),
    signal: signal === undefined ? undefined : readOption("signal", SCHEMA.signal, signal),
    source,
    listeners:
      onHeaders === undefined && onTrailers === undefined ? undefined : readListeners({ onHeaders, onTrailers }),
  };
}

function readListeners({ onHeaders, onTrailers }: HeaderListeners): HeaderListeners {
  return {
    onHeaders: onHeaders && readOption("onHeaders", SCHEMA.onHeaders, onHeaders),
    onTrailers: onTrailers && readOption("onTrailers", SCHEMA.onTrailers, onTrailers),
  };
}

function checkInput(source: unknown, { persist }: ClientRequestOptions): void {
  readOption("input", SCHEMA.input, source);
  if (persist)
    throw new UsageError('a request with the option "input" cannot have "persist": the broker does not store input');
}

/** The options without those of the method, which `bodyWith` writes. @throws UsageError as `resolveCallOptions` */
export function splitMethod(input: CallOptions): { readonly rest: CallOptions; readonly inBody?: MethodInBody } {
  if (typeof input !== "object" || input === null || input.method === undefined) return { rest: input };
  const { method, args, ...rest } = input;
  const name = readOption("method", SCHEMA.method, method);
  const hasArgs = args !== undefined && readOption("args", SCHEMA.args, args);
  return name === undefined ? { rest } : { rest, inBody: { method: name, hasArgs } };
}

/** The data of a call in the form of butler. */
export function bodyWith({ method, hasArgs }: MethodInBody, data: unknown): unknown {
  return { method, args: hasArgs ? data : data === undefined ? [] : [data], kwargs: {} };
}

/** A timeout as users write it: −1, as on the wire, or `Infinity` for no limit. */
export function timeoutOption(byDefault: number): Option<number> {
  return custom<number>({
    unit: "ms",
    expected: `a number of milliseconds from 0 to ${MAX_DURATION_MS}, or -1 for none`,
    read(value) {
      if (value === -1 || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
      return typeof value === "number" && value >= 0 && value <= MAX_DURATION_MS ? value : undefined;
    },
    default: byDefault,
  });
}

/** Whether to retry, or how often to send a request. As on the classic wire, 0 is `false` and 1 is `true`. */
export function retryOption(): Option<boolean | number> {
  return custom<boolean | number>({
    expected: `true, false or an integer from 0 to ${MAX_ATTEMPTS}`,
    read(value) {
      if (value === true || value === 1) return true;
      if (value === false || value === 0) return false;
      return typeof value === "number" && Number.isInteger(value) && value > 1 && value <= MAX_ATTEMPTS
        ? value
        : undefined;
    },
    default: false,
  });
}

/**
 * Its size is checked when the broker is known.
 * @param codec of the body; JSON if absent
 * @throws UsageError for values that the codec cannot carry
 */
export function encodeData(data: unknown, codec: BodyCodecName | undefined, allowLoss: boolean): Frame {
  if (codec !== undefined) return bodyCodecs.get(codec).encode(data);
  return allowLoss ? encodePayload(data, UNDEFINED_FRAME) : encodeJson(data, UNDEFINED_FRAME);
}

/** P-CODEC-1: with `raw`, data that is not bytes stays JSON, and the replies may be raw. */
function codecsFor(codec: BodyCodecName | "json", data: unknown): RequestCodecs {
  if (codec === "json") return {};
  const replies = { accept: codec, inputCodec: codec };
  return codec === "raw" && !isRawValue(data) ? replies : { codec, ...replies };
}

/** Without the option `codec`, bytes that are streamed are sent as they are. */
function codecsOf(source: unknown): RequestCodecs | undefined {
  return isByteSource(source) ? { inputCodec: "raw" } : undefined;
}

/** As `encodeData`, for a wire whose bodies are any number of frames with any bytes (D-PEER-4). */
export function encodeRawData(data: unknown, allowLoss: boolean): readonly Frame[] {
  const frames = writeRawBody(data);
  // An array may be frames.
  if (!allowLoss && !isBytes(data) && !Array.isArray(data)) rejectJsonLoss(data);
  // The broker announces no bounds. It disconnects a peer that sends more, which would end all its other requests.
  const excess = excessOf(DEFAULT_SIZE_BOUNDS, frames, undefined);
  if (excess !== undefined) throw new UsageError(`the data of a request cannot be sent: ${excess}`);
  return frames;
}

function readWorkerId(value: unknown): PeerId | undefined {
  if (typeof value !== "string" || value === "" || !isWellFormed(value)) return undefined;
  const worker = peerIdFromText(value);
  return worker.length <= MAX_NAME_BYTES ? worker : undefined;
}

/** Of any realm, and of any implementation: `instanceof` does not know those of another. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "aborted") === "boolean" &&
    typeof Reflect.get(value, "addEventListener") === "function"
  );
}

function acceptTimeoutIn({ acceptTimeout }: CallOptions): Pick<ClientRequestOptions, "acceptTimeoutMs"> {
  const acceptTimeoutMs =
    acceptTimeout === undefined ? undefined : readOption("acceptTimeout", SCHEMA.acceptTimeout, acceptTimeout);
  return acceptTimeoutMs === undefined ? {} : { acceptTimeoutMs };
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MAX_DURATION_MS;
}

function isDeadline(value: unknown): value is number | Date {
  return isDuration(value) || (types.isDate(value) && !Number.isNaN(value.getTime()));
}

function encodeOptions(options: object): Frame {
  let text: string;
  try {
    text = JSON.stringify(options);
  } catch (cause) {
    throw new UsageError(`the options of a request cannot be written as JSON: ${String(cause)}`, { cause });
  }
  const frame = writeText(text);
  if (frame.length > MAX_OPTIONS_BYTES) {
    throw new UsageError(`options of ${frame.length} bytes as JSON cannot be sent; the most is ${MAX_OPTIONS_BYTES}`);
  }
  return frame;
}

// The options of one request, and the message that is made of them. Users' own keys travel to the worker as they are;
// `timeout` and `retry` are always among what travels, as on the classic wire; a signal never does.

import {
  encodePayload,
  type Frame,
  MAX_NAME_BYTES,
  MAX_OPTIONS_BYTES,
  type PeerId,
  peerIdFromText,
  type RequestOptions,
  type ServiceName,
  serviceNameFromText,
  timeoutToWire,
  UNDEFINED_FRAME,
  UsageError,
  writeRawBody,
  writeText,
} from "@pigato/protocol";
import { DEFAULT_LINK_LIMITS } from "@pigato/transport";
import { readFlag, readTimeoutMs, wrong } from "./validate.ts";

/** Besides these, any key whose value JSON can carry: the worker's handler gets it. */
export interface CallOptions {
  /** Milliseconds without any reply after which the request fails; −1 is no limit, 0 expires at once. @defaultValue the client's */
  readonly timeout?: number | undefined;
  /** Whether it goes out again when its worker or its broker is lost before the first reply. @defaultValue the client's */
  readonly retry?: boolean | 0 | 1 | undefined;
  /** The only worker that may handle it: 1 to 255 bytes. @defaultValue any worker */
  readonly workerId?: string | undefined;
  /** Whether a worker must run it, even if the broker has kept a reply to an equal request. @defaultValue false */
  readonly nocache?: boolean | 0 | 1 | undefined;
  /**
   * Whether the broker keeps it in its store until it has ended, and runs it when it starts again. It may then run twice, and
   * runs though this client is gone. @defaultValue false
   */
  readonly persist?: boolean | 0 | 1 | undefined;
  /** Whether it fails with `UNAVAILABLE` at once instead of waiting for a first worker. @defaultValue false */
  readonly failFast?: boolean | 0 | 1 | undefined;
  /** Whether to be told when it is queued and who gets it, where the broker can: events of its stream. @defaultValue false */
  readonly notices?: boolean | 0 | 1 | undefined;
  /** Ends the request with `CANCELED` when it aborts; the worker is told. */
  readonly signal?: AbortSignal | undefined;
  readonly [extra: string]: unknown;
}

/** What a request takes from its client when it does not say. */
export interface CallDefaults {
  readonly timeoutMs: number;
  readonly retry: boolean;
}

export interface ResolvedCallOptions {
  readonly options: RequestOptions;
  /** The options as they travel. */
  readonly trailer: readonly Frame[];
  readonly signal: AbortSignal | undefined;
}

/** @throws UsageError for a value out of its bounds, or one that JSON cannot carry */
export function resolveCallOptions(input: CallOptions, defaults: CallDefaults): ResolvedCallOptions {
  if (typeof input !== "object" || input === null) throw wrong("the options of a request", "an object", input);
  const { signal, ...sent } = input;
  const { timeout = defaults.timeoutMs, retry = defaults.retry, ...rest } = sent;
  const options: RequestOptions = {
    timeoutMs: readTimeoutMs("timeout", timeout),
    retry: readFlag("retry", retry),
    worker: rest.workerId === undefined ? undefined : readWorkerId(rest.workerId),
    failFast: readOptionalFlag("failFast", rest.failFast),
    noCache: readOptionalFlag("nocache", rest.nocache),
    persist: readOptionalFlag("persist", rest.persist),
    notices: readOptionalFlag("notices", rest.notices),
  };
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrong("signal", "an AbortSignal", signal);
  // The caller's own first and in their order, as the original writes them.
  const travelling = { ...sent, timeout: timeoutToWire(options.timeoutMs), retry: options.retry ? 1 : 0 };
  const trailer = [encodeOptions(travelling)];
  return { options, trailer, signal };
}

/** @throws UsageError for what cannot name a service */
export function readService(value: unknown): ServiceName {
  if (typeof value === "string" && value !== "") {
    const name = serviceNameFromText(value);
    if (name.length <= MAX_NAME_BYTES) return name;
  }
  throw wrong("the service", `text of 1 to ${MAX_NAME_BYTES} bytes`, value);
}

/** @throws UsageError for what JSON cannot carry, and for more than a frame may hold */
export function encodeData(data: unknown): Frame {
  const frame = encodePayload(data, UNDEFINED_FRAME);
  checkSize(frame);
  return frame;
}

/** As `encodeData`, for a wire whose bodies are any bytes in any number of frames (D-PEER-4). */
export function encodeRawData(data: unknown): readonly Frame[] {
  const frames = writeRawBody(data);
  for (const frame of frames) checkSize(frame);
  return frames;
}

/** A broker cuts off a peer that sends more, and with it all its other requests. */
function checkSize(frame: Frame): void {
  const { maxFrameBytes } = DEFAULT_LINK_LIMITS;
  if (frame.length > maxFrameBytes) {
    throw new UsageError(`data of ${frame.length} bytes as JSON cannot be sent; the most is ${maxFrameBytes}`);
  }
}

function readWorkerId(value: unknown): PeerId {
  if (typeof value === "string" && value !== "") {
    const worker = peerIdFromText(value);
    if (worker.length <= MAX_NAME_BYTES) return worker;
  }
  throw wrong("workerId", `text of 1 to ${MAX_NAME_BYTES} bytes`, value);
}

function readOptionalFlag(name: string, value: unknown): boolean {
  return value === undefined ? false : readFlag(name, value);
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

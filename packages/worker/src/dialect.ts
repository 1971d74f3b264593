// What depends on the dialect of a worker: the codec, and which parts of a reply its wire can carry. A Majordomo reply carries
// only data, so other calls of a handler are a UsageError.

import { bodyCodecs, type DialectName, encodeJson, isRawValue, notCarried } from "@pigato/peer";
import {
  type Capabilities,
  type Dialect,
  decodePayload,
  encodePayload,
  type Frame,
  NULL_FRAME,
  UsageError,
  writeText,
} from "@pigato/protocol";
import {
  type BodyCodecName,
  CODEC_OPTIONS,
  isBytes,
  majordomoPeer,
  OMDP_CAPABILITIES,
  omdpPeer,
  pigatoDialect,
  readRawBody,
  writeRawBody,
} from "@pigato/protocol/internal";
import { encodeChunk, NO_CHUNK } from "./reply-body.ts";
import type { WorkerRequest } from "./session/effects.ts";

/** Encodes the values of a handler. Every method throws a UsageError for a value that cannot be sent. */
export interface ReplyFormat {
  chunk(value: unknown): readonly Frame[];
  final(value: unknown): readonly Frame[];
  /**
   * The options of a reply.
   * @param options `undefined` if the handler set none
   * @param value a chunk or a final value, of whose body they name the codec; an error has none
   */
  options(options: object | undefined, value?: unknown): Frame;
  checkReject(): void;
}

export interface WorkerDialect {
  readonly id: DialectName;
  /** Creates a codec for one peer, because it may hold caches. */
  readonly newWire: () => Pick<Dialect, "encodeFromWorker" | "decodeToWorker">;
  /** Whether the broker answers READY and heartbeats, and accepts rejections. */
  readonly brokerAnswers: boolean;
  /** What every broker of the dialect can do, in a dialect that negotiates nothing. */
  readonly fixed?: Capabilities;
  /**
   * The data of a request; `NOT_JSON` if it is not JSON.
   * @param isFramed whether the body is any frames, in a dialect where it is JSON otherwise
   */
  readData(body: readonly Frame[], isFramed?: boolean): unknown;
  readonly format: ReplyFormat;
  /** The same for values that may have what JSON loses. */
  readonly lossyFormat: ReplyFormat;
}

type Encode = typeof encodePayload;

const NO_OPTIONS: Frame = writeText("{}");

const PIGATO: WorkerDialect = {
  id: "pigato",
  newWire: pigatoDialect,
  brokerAnswers: true,
  readData: (body, isFramed) => (isFramed ? readFrames(body) : decodePayload(body[0] ?? NULL_FRAME)),
  format: jsonFormat(encodeJson),
  lossyFormat: jsonFormat(encodePayload),
};

function jsonFormat(encode: Encode): ReplyFormat {
  return {
    chunk: (value) => [encodeChunk(value, encode)],
    final: (value) => [encode(value, NULL_FRAME)],
    options: (options) => (options === undefined ? NO_OPTIONS : encodePayload(options, NO_OPTIONS)),
    checkReject() {},
  };
}

/** P-CODEC-3: bytes as they are, and all other values as JSON. */
const RAW_FORMAT: ReplyFormat = {
  ...PIGATO.format,
  chunk: (value) => (isRawValue(value) ? [bodyCodecs.get("raw").encode(value)] : PIGATO.format.chunk(value)),
  final: (value) => (isRawValue(value) ? [bodyCodecs.get("raw").encode(value)] : PIGATO.format.final(value)),
  options: (options, value) => (isRawValue(value) ? optionsWith("raw", options) : PIGATO.format.options(options)),
};

const MSGPACK_FORMAT: ReplyFormat = {
  ...PIGATO.format,
  chunk(value) {
    if (value === null || value === undefined) throw new UsageError(NO_CHUNK);
    return [bodyCodecs.get("msgpack").encode(value)];
  },
  final: (value) => [bodyCodecs.get("msgpack").encode(value === undefined ? null : value)],
  options: (options, ...values) =>
    values.length === 0 ? PIGATO.format.options(options) : optionsWith("msgpack", options),
};

/** How replies are encoded whose request asked for a codec. */
export const CODEC_FORMATS: Readonly<Record<BodyCodecName, ReplyFormat>> = Object.freeze({
  raw: RAW_FORMAT,
  msgpack: MSGPACK_FORMAT,
});

function optionsWith(codec: BodyCodecName, options: object | undefined): Frame {
  return options === undefined ? CODEC_OPTIONS[codec] : encodePayload({ ...options, codec }, NO_OPTIONS);
}

/** How a reply is encoded whose request came as frames (P-REP-10). */
export const FRAMES_FORMAT: ReplyFormat = {
  ...PIGATO.format,
  chunk: (value) => framesOfChunk(value, encodeJson),
  final: (value) => framesOfFinal(value, encodeJson),
};

export const DIALECTS: Readonly<Record<DialectName, WorkerDialect>> = Object.freeze({
  pigato: PIGATO,
  mdp02: majordomo("mdp02"),
  mdp01: majordomo("mdp01"),
  omdp: {
    id: "omdp",
    newWire: omdpPeer,
    brokerAnswers: false,
    fixed: OMDP_CAPABILITIES,
    readData: readFrames,
    format: { ...PIGATO.format, ...onlyData("omdp") },
    lossyFormat: { ...PIGATO.lossyFormat, ...onlyData("omdp") },
  },
});

function majordomo(id: "mdp02" | "mdp01"): WorkerDialect {
  return {
    id,
    newWire: () => majordomoPeer(id),
    brokerAnswers: false,
    readData: readFrames,
    format: majordomoFormat(id, encodeJson),
    lossyFormat: majordomoFormat(id, encodePayload),
  };
}

function majordomoFormat(id: "mdp02" | "mdp01", encode: Encode): ReplyFormat {
  const { hasPartials } = majordomoPeer(id);
  return {
    chunk(value) {
      if (!hasPartials) throw notCarried(id, "reply.write()", "a reply there has no parts; send it with end()");
      return framesOfChunk(value, encode);
    },
    final: (value) => framesOfFinal(value, encode),
    ...onlyData(id),
  };
}

/** A dialect whose replies have no options, and which has no rejections. */
function onlyData(id: DialectName): Pick<ReplyFormat, "options" | "checkReject"> {
  return {
    options(options) {
      const name = Object.entries(options ?? {}).find(
        ([, value]) => encodePayload(value, NO_OPTIONS) !== NO_OPTIONS,
      )?.[0];
      if (name !== undefined) throw notCarried(id, `reply.opts.${name}`, "its wire has no frame for it");
      return NO_OPTIONS;
    },
    checkReject() {
      throw notCarried(id, "reply.reject()", "a request cannot be rejected there; end it with error()");
    },
  };
}

/** The data of a request in any codec; `NOT_JSON` or `MALFORMED` if it is not in the one that it names. */
export function readRequest({ readData }: WorkerDialect, { body, isFramed, options }: WorkerRequest): unknown {
  const { codec } = options;
  return codec === undefined ? readData(body, isFramed) : bodyCodecs.get(codec).decode(body[0] ?? NULL_FRAME);
}

/** D-PEER-4: several frames as bytes, so that a handler can send them on unchanged. */
function readFrames(body: readonly Frame[]): unknown {
  return body.length > 1 ? [...body] : readRawBody(body);
}

function framesOfChunk(value: unknown, encode: Encode): readonly Frame[] {
  return mayBeFrames(value) ? writeRawBody(value) : [encodeChunk(value, encode)];
}

function framesOfFinal(value: unknown, encode: Encode): readonly Frame[] {
  return mayBeFrames(value) || value === undefined ? writeRawBody(value) : [encode(value, NULL_FRAME)];
}

function mayBeFrames(value: unknown): boolean {
  return isBytes(value) || Array.isArray(value);
}

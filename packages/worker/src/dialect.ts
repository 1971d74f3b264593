// How a worker speaks, chosen once when it is made: the wire's codec, and what its handlers may say on it. Majordomo carries
// a reply's data and nothing else; whatever more a handler says is refused at that very call.

import {
  type Dialect,
  decodePayload,
  encodePayload,
  type Frame,
  majordomoPeer,
  NULL_FRAME,
  pigatoDialect,
  readRawBody,
  UsageError,
  writeRawBody,
  writeText,
} from "@pigato/protocol";
import { encodeChunk } from "./reply-body.ts";

export type DialectName = "pigato" | "mdp02" | "mdp01";

/** What a handler says, as frames. Every method throws a UsageError for what cannot be sent. */
export interface ReplyFormat {
  chunk(value: unknown): readonly Frame[];
  final(value: unknown): readonly Frame[];
  /** @param options `undefined`: none were set */
  options(options: object | undefined): Frame;
  checkReject(): void;
}

export interface WorkerDialect {
  readonly id: DialectName;
  /** The codec of one peer: it may hold caches. */
  readonly newWire: () => Pick<Dialect, "encodeFromWorker" | "decodeToWorker">;
  /** As the session has it: a Majordomo broker does not. */
  readonly brokerAnswers: boolean;
  /** The data of a request; `NOT_JSON` for what is none. */
  readData(body: readonly Frame[]): unknown;
  readonly format: ReplyFormat;
}

const NO_OPTIONS: Frame = writeText("{}");

const PIGATO: WorkerDialect = {
  id: "pigato",
  newWire: pigatoDialect,
  brokerAnswers: true,
  readData: ([body = NULL_FRAME]) => decodePayload(body),
  format: {
    chunk: (value) => [encodeChunk(value)],
    final: (value) => [encodePayload(value, NULL_FRAME)],
    options: (options) => (options === undefined ? NO_OPTIONS : encodePayload(options, NO_OPTIONS)),
    checkReject() {},
  },
};

export const DIALECTS: Readonly<Record<DialectName, WorkerDialect>> = Object.freeze({
  pigato: PIGATO,
  mdp02: speaking("mdp02"),
  mdp01: speaking("mdp01"),
});

export function isDialectName(value: unknown): value is DialectName {
  return typeof value === "string" && Object.hasOwn(DIALECTS, value);
}

/** The error for something that a dialect has no frames for. */
export function notCarried(dialect: DialectName, what: string, why: string): UsageError {
  return new UsageError(`${what} cannot be used with the dialect "${dialect}": ${why}`);
}

function speaking(id: "mdp02" | "mdp01"): WorkerDialect {
  const peer = majordomoPeer(id);
  return {
    id,
    newWire: () => peer,
    brokerAnswers: false,
    readData: readRawBody,
    format: {
      chunk(value) {
        if (!peer.hasPartials) throw notCarried(id, "reply.write()", "a reply there has no parts; send it with end()");
        return value instanceof Uint8Array || Array.isArray(value) ? writeRawBody(value) : [encodeChunk(value)];
      },
      final: writeRawBody,
      options(options) {
        const [name] = Object.keys(options ?? {});
        if (name !== undefined) throw notCarried(id, `reply.opts.${name}`, "its wire has no frame for it");
        return NO_OPTIONS;
      },
      checkReject() {
        throw notCarried(id, "reply.reject()", "a request cannot be given back there; end it with error()");
      },
    },
  };
}

// What depends on the dialect of a client: the codec, the session, and which options and methods its wire can carry. A
// Majordomo request carries only data, so other options and methods are a UsageError here, before a message is sent.

import { type Core, type DialectName, notCarried } from "@pigato/peer";
import { type Dialect, type Frame, writeText } from "@pigato/protocol";
import { type BodyCodecName, majordomoPeer, omdpPeer, pigatoDialect } from "@pigato/protocol/internal";
import {
  type CallDefaults,
  type CallOptions,
  encodeData,
  encodeRawData,
  type ResolvedCallOptions,
  resolveCallOptions,
  splitMethod,
} from "./call-options.ts";
import type { Effect, Input } from "./session/effects.ts";
import { majordomoSession } from "./session/majordomo.ts";
import { omdpSession, pigatoSession } from "./session/pigato.ts";
import type { Exchange, SessionOptions } from "./session/session.ts";

export interface HowToEncode {
  readonly service: string;
  /** Of the body; JSON if absent. */
  readonly codec: BodyCodecName | undefined;
  /** Whether data may have values that JSON loses. */
  readonly allowLoss: boolean;
}

export interface ClientDialect {
  /**
   * The codec. All clients of a process share it: a codec with caches for each client cost 200 clients 10 % more CPU per
   * request. Its caches are bounded and depend only on the bytes of a frame.
   */
  readonly wire: Pick<Dialect, "encodeFromClient" | "decodeFromClient" | "decodeToClient">;
  newSession(options: SessionOptions): Core<Input, Effect> & Pick<Exchange, "knownBounds">;
  /** @throws UsageError for data that cannot be sent */
  encodeData(data: unknown, how: HowToEncode): readonly Frame[];
  /** @throws UsageError for an option out of its bounds, or one that the wire cannot carry */
  resolveCallOptions(input: CallOptions, defaults: CallDefaults, data?: unknown): ResolvedCallOptions;
  /** @throws UsageError if the wire has no message for a method */
  checkMethod(name: string): void;
}

const PIGATO: ClientDialect = {
  wire: pigatoDialect(),
  newSession: pigatoSession,
  encodeData: (data, { codec, allowLoss }) => [encodeData(data, codec, allowLoss)],
  resolveCallOptions,
  checkMethod() {},
};

export const DIALECTS: Readonly<Record<DialectName, ClientDialect>> = Object.freeze({
  pigato: PIGATO,
  mdp02: majordomo("mdp02"),
  mdp01: majordomo("mdp01"),
  omdp: {
    wire: omdpPeer(),
    newSession: omdpSession,
    encodeData: (data, { allowLoss }) => [encodeData(data, undefined, allowLoss)],
    resolveCallOptions: withMethodInBody((input, defaults) => resolveCallOptions(withoutNegotiated(input), defaults)),
    checkMethod() {},
  },
});

function majordomo(id: "mdp02" | "mdp01"): ClientDialect {
  return {
    wire: majordomoPeer(id),
    newSession: majordomoSession,
    encodeData: (data, how) => encodeRawData(isNameForMmi(data, how.service) ? writeText(data) : data, how.allowLoss),
    resolveCallOptions: withMethodInBody((input, defaults) => resolveCallOptions(withoutExtras(id, input), defaults)),
    checkMethod(name) {
      throw notCarried(id, name);
    },
  };
}

type Resolve = (input: CallOptions, defaults: CallDefaults) => ResolvedCallOptions;

/** P-CALL-2: a wire without options for the method carries it with the data. */
function withMethodInBody(resolve: Resolve): Resolve {
  return (input, defaults) => {
    const { rest, inBody } = splitMethod(input);
    const resolved = resolve(rest, defaults);
    return inBody === undefined ? resolved : { ...resolved, inBody };
  };
}

/** RFC 8: a management service expects the bare name of a service, not its JSON. */
function isNameForMmi(data: unknown, service: string): data is string {
  return typeof data === "string" && service.startsWith("mmi.");
}

/** D-PEER-3: a flag that is off has no effect, so it is allowed. */
function withoutExtras(id: DialectName, input: CallOptions): CallOptions {
  if (typeof input !== "object" || input === null) return input;
  for (const [name, value] of Object.entries(input)) {
    if (name === "timeout" || name === "deadline" || name === "signal" || value === undefined) continue;
    const isOff = FLAGS.has(name) && (value === false || value === 0);
    if (!isOff) throw notCarried(id, `the option ${JSON.stringify(name)} of a request`);
  }
  return input;
}

/** D-PEER-8: what PIGATO negotiates. */
function withoutNegotiated(input: CallOptions): CallOptions {
  if (typeof input !== "object" || input === null) return input;
  for (const name of NEGOTIATED) {
    const value: unknown = Reflect.get(input, name);
    if (value !== undefined && value !== "json" && value) throw notCarried("omdp", `the option "${name}" of a request`);
  }
  return input;
}

const NEGOTIATED = ["acceptTimeout", "args", "codec", "input", "onHeaders", "onTrailers"] as const;

const FLAGS: ReadonlySet<string> = new Set(["retry", "nocache", "persist", "failFast", "notices", "args"]);

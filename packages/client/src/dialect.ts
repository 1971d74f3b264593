// How a client speaks, chosen once when it is made: the wire's codec, what may be asked on it, and who decides. Majordomo
// carries a request's data and nothing else; whatever else a caller asks for is refused here, before anything is sent.

import { type Dialect, type Frame, majordomoPeer, pigatoDialect, UsageError } from "@pigato/protocol";
import {
  type CallDefaults,
  type CallOptions,
  encodeData,
  encodeRawData,
  type ResolvedCallOptions,
  resolveCallOptions,
} from "./call-options.ts";
import { MajordomoSession } from "./session/majordomo.ts";
import { Session, type SessionOptions } from "./session/session.ts";

export type DialectName = "pigato" | "mdp02" | "mdp01";

/** What the driver needs of a session. */
export type SessionPort<Caller> = Pick<Session<Caller>, "handle" | "nextDeadline">;

export interface ClientDialect {
  readonly id: DialectName;
  /** The codec of one peer: it may hold caches. */
  readonly newWire: () => Pick<Dialect, "encodeFromClient" | "decodeFromClient" | "decodeToClient">;
  newSession<Caller>(options: SessionOptions): SessionPort<Caller>;
  /** @throws UsageError for what cannot be sent */
  encodeData(data: unknown): readonly Frame[];
  /** @throws UsageError for an option out of its bounds, or one that the wire cannot carry */
  resolveCallOptions(input: CallOptions, defaults: CallDefaults): ResolvedCallOptions;
  /** @throws UsageError if the wire has no message for what a method does */
  checkMethod(name: string): void;
}

const PIGATO: ClientDialect = {
  id: "pigato",
  newWire: pigatoDialect,
  newSession: (options) => new Session(options),
  encodeData: (data) => [encodeData(data)],
  resolveCallOptions,
  checkMethod() {},
};

export const DIALECTS: Readonly<Record<DialectName, ClientDialect>> = Object.freeze({
  pigato: PIGATO,
  mdp02: speaking("mdp02"),
  mdp01: speaking("mdp01"),
});

export function isDialectName(value: unknown): value is DialectName {
  return typeof value === "string" && Object.hasOwn(DIALECTS, value);
}

/** The error for something that a dialect has no frames for. */
export function notCarried(dialect: DialectName, what: string, why = "its wire has no frame for it"): UsageError {
  return new UsageError(`${what} cannot be used with the dialect "${dialect}": ${why}`);
}

function speaking(id: "mdp02" | "mdp01"): ClientDialect {
  return {
    id,
    newWire: () => majordomoPeer(id),
    newSession: (options) => new MajordomoSession(options),
    encodeData: encodeRawData,
    resolveCallOptions: (input, defaults) => resolveCallOptions(withoutExtras(id, input), defaults),
    checkMethod(name) {
      throw notCarried(id, name);
    },
  };
}

/** D-PEER-3: a switch that is off asks for nothing, so it may be there. */
function withoutExtras(id: DialectName, input: CallOptions): CallOptions {
  if (typeof input !== "object" || input === null) return input;
  for (const [name, value] of Object.entries(input)) {
    if (name === "timeout" || name === "signal" || value === undefined) continue;
    const isOff = SWITCHES.has(name) && (value === false || value === 0);
    if (!isOff) throw notCarried(id, `the option ${JSON.stringify(name)} of a request`);
  }
  return input;
}

const SWITCHES: ReadonlySet<string> = new Set(["retry", "nocache", "persist", "failFast", "notices"]);

// Where a broker listens: addresses, each with the roles and dialects that it serves. Addresses with equal settings share a
// listener, which is one socket.

import {
  boolean,
  custom,
  expectedAddress,
  integer,
  invalidValue,
  isAddress,
  type Option,
  type OptionsOf,
  optionsIn,
  rejectUnknownOptions,
  resolveOptions,
  type SettingsOf,
} from "@pigato/peer";
import { type BrokerDialect, butler, majordomo, UsageError } from "@pigato/protocol";
import { DEFAULT_TIMEOUT_MS, omdpDialect, pigatoDialect, type Role } from "@pigato/protocol/internal";
import { wallClock } from "@pigato/transport";
import { MAX_LISTENERS } from "./core/peer-names.ts";

type BindDialect = "omdp" | "butler";

/** The settings of one address. */
export class BindSchema {
  /**
   * A dialect that cannot be detected from a peer's first message, so this address is for it alone: `omdp` in place of
   * PIGATO, `butler` for butler workers, which send no header. Butler clients are detected at every address.
   * @defaultValue none
   */
  readonly dialect: Option<BindDialect, BindDialect | undefined> = custom<BindDialect, BindDialect | undefined>({
    expected: "one of omdp, butler",
    read: (value) => (value === "omdp" || value === "butler" ? value : undefined),
    default: undefined,
  });

  /** Send failures to Majordomo clients, as a body of JSON. Otherwise they get no reply. @defaultValue false */
  readonly answersErrors: Option<boolean> = boolean({ default: false });

  /**
   * Milliseconds without a reply after which the request of a Majordomo client, which cannot set a timeout, expires.
   * @defaultValue 60 000
   */
  readonly timeoutMs: Option<number> = integer({
    unit: "ms",
    min: 1,
    max: 86_400_000,
    default: DEFAULT_TIMEOUT_MS,
  });
}

export const BIND_SCHEMA: BindSchema = new BindSchema();
/** Names that an object of addresses may have, to suggest the nearest for a misspelled one. */
const KNOWN_NAMES = { address: true, frontend: true, backend: true, ...BIND_SCHEMA };

/** An address with its own settings. */
export interface Bind extends OptionsOf<BindSchema> {
  /** `tcp://*:55555`, `tcp://127.0.0.1:*`, `ipc://path`, `inproc://name` */
  readonly address: string;
}

/** Where to listen: one address or several. */
export type ListenerOptions = string | Bind | readonly (string | Bind)[];

/** Where to listen for clients only, and for workers only. */
export interface Listeners {
  readonly frontend: ListenerOptions;
  readonly backend: ListenerOptions;
}

/** One listener, which is one socket. */
export interface ListenerSettings {
  readonly addresses: readonly string[];
  /** The only role that it serves; `undefined` is both. */
  readonly role: Role | undefined;
  readonly dialects: readonly BrokerDialect[];
}

function notAnAddress(value: unknown): UsageError {
  return invalidValue("an address to listen at", expectedAddress("tcp://*:55555", value), value);
}

/** @throws UsageError for no address, an invalid address or setting, or more listeners than a broker can have */
export function listenersOf(where: ListenerOptions | Listeners): ListenerSettings[] {
  const listeners = new Map<string, ListenerSettings & { readonly addresses: string[] }>();
  const add = (options: ListenerOptions, role: Role | undefined): void => {
    for (const bind of isList(options) ? options : [options]) {
      // JavaScript may pass anything.
      const { address, ...given } = typeof bind === "string" ? { address: bind } : (bind ?? { address: "" });
      if (address === undefined) rejectUnknownOptions("a bind", KNOWN_NAMES, given);
      if (typeof address !== "string" || address === "") throw noAddress(where);
      if (!isAddress(address)) throw notAnAddress(address);
      const settings = resolveOptions("a bind", BIND_SCHEMA, given);
      const key = `${role ?? ""} ${JSON.stringify(settings)}`;
      const listener = listeners.get(key) ?? { addresses: [], role, dialects: dialectsOf(settings) };
      listener.addresses.push(address);
      listeners.set(key, listener);
    }
  };
  if (isSplit(where)) {
    add(where.frontend, "client");
    add(where.backend, "worker");
  } else {
    add(where, undefined);
  }
  if (listeners.size === 0) throw noAddress(where);
  if (listeners.size > MAX_LISTENERS) {
    throw new UsageError(
      `a broker has at most ${MAX_LISTENERS} addresses with different settings, not ${listeners.size}`,
    );
  }
  return [...listeners.values()];
}

/**
 * Reads an address with its settings from one text, for flags and environment variables:
 * `tcp://*:55556?dialect=omdp&timeoutMs=5000`.
 * @throws UsageError for an unknown setting or an invalid value
 */
export function readBind(text: string): string | Bind {
  const mark = text.indexOf("?");
  if (mark < 0) {
    listenersOf(text);
    return text;
  }
  const options = new Map(optionsIn(BIND_SCHEMA));
  const settings = [...new URLSearchParams(text.slice(mark + 1))].map(([name, value]) => [
    name,
    options.get(name)?.fromText?.(value) ?? value,
  ]);
  const bind: Bind = { address: text.slice(0, mark), ...Object.fromEntries(settings) };
  listenersOf(bind);
  return bind;
}

function dialectsOf({ dialect, answersErrors, timeoutMs }: SettingsOf<BindSchema>): readonly BrokerDialect[] {
  const others = [
    ...majordomo({ answersErrors, timeoutMs }),
    butler({ readsWorkers: dialect === "butler", wallClock }),
  ];
  return [dialect === "omdp" ? omdpDialect() : pigatoDialect(), ...others];
}

/** @throws UsageError for one of the two without the other, and for any third name */
function isSplit(where: ListenerOptions | Listeners): where is Listeners {
  if (typeof where !== "object" || where === null) return false;
  const has = { frontend: "frontend" in where, backend: "backend" in where };
  if (has.frontend || has.backend) rejectUnknownOptions("{ frontend, backend }", has, where);
  if (has.frontend !== has.backend) throw new UsageError("frontend and backend of a broker require each other");
  return has.frontend;
}

function isList(options: ListenerOptions): options is readonly (string | Bind)[] {
  return Array.isArray(options);
}

function noAddress(where: unknown): UsageError {
  return new UsageError(`a broker needs at least one address to listen at, not ${JSON.stringify(where)}`);
}

// Where a broker listens, and to whom: addresses, each with the roles and dialects that may come in by it. Binds that
// are alike share a door, which is one socket.

import {
  type BrokerDialect,
  butler,
  DEFAULT_TIMEOUT_MS,
  majordomo,
  omdp,
  pigato,
  type Role,
  UsageError,
} from "@pigato/protocol";
import { MAX_DOORS } from "./core/peer-names.ts";

/** One address with what is special about it. */
export interface Bind {
  /** `tcp://*:55555`, `tcp://127.0.0.1:*`, `ipc://path`, `inproc://name` */
  readonly address: string;
  /**
   * A dialect that cannot be told from the others by its first message, read here and nowhere else: `omdp` in place of
   * PIGATO, `butler` with its workers, who have no header. Butler's clients are known everywhere.
   */
  readonly dialect?: "omdp" | "butler";
  /** Whether Majordomo clients are told of failures, as a body of JSON. @defaultValue false: they hear nothing */
  readonly answersErrors?: boolean;
  /**
   * Milliseconds without any answer after which a request of a Majordomo client, who cannot say so, expires; 1 to
   * 86 400 000. @defaultValue 60 000
   */
  readonly timeoutMs?: number;
}

/** What may be said of a bind beside its address. */
export const BIND_SETTINGS: readonly Exclude<keyof Bind, "address">[] = ["dialect", "answersErrors", "timeoutMs"];

const LONGEST_TIMEOUT_MS = 86_400_000;

export type Side = string | Bind | readonly (string | Bind)[];

/** By the frontend come clients alone, by the backend workers alone. */
export interface Sides {
  readonly frontend: Side;
  readonly backend: Side;
}

/** Who may come in by one socket. */
export interface DoorSettings {
  readonly addresses: readonly string[];
  /** The only role; `undefined` is both. */
  readonly role: Role | undefined;
  readonly dialects: readonly BrokerDialect[];
}

/** @throws UsageError for no address, one that is no text, a bad setting, or more doors than a broker has */
export function doorsOf(where: Side | Sides): DoorSettings[] {
  const doors = new Map<string, { addresses: string[]; role: Role | undefined; dialects: readonly BrokerDialect[] }>();
  const open = (side: Side, role: Role | undefined): void => {
    for (const bind of isList(side) ? side : [side]) {
      // JavaScript may give anything.
      const { address, ...settings } = typeof bind === "string" ? { address: bind } : (bind ?? { address: "" });
      if (typeof address !== "string" || address === "") throw noAddress(where);
      const { dialect, answersErrors, timeoutMs } = resolve(settings);
      const key = `${role ?? ""} ${dialect ?? ""} ${answersErrors} ${timeoutMs}`;
      const door = doors.get(key) ?? { addresses: [], role, dialects: dialectsOf(dialect, answersErrors, timeoutMs) };
      door.addresses.push(address);
      doors.set(key, door);
    }
  };
  if (isSides(where)) {
    open(where.frontend, "client");
    open(where.backend, "worker");
  } else {
    open(where, undefined);
  }
  if (doors.size === 0) throw noAddress(where);
  if (doors.size > MAX_DOORS)
    throw new UsageError(`a broker has at most ${MAX_DOORS} kinds of binds, not ${doors.size}`);
  return [...doors.values()];
}

function resolve(settings: Omit<Bind, "address">) {
  const known: readonly string[] = BIND_SETTINGS;
  const unknown = Object.keys(settings).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`a bind has no setting "${unknown}"`);
  const { dialect, answersErrors = false, timeoutMs = DEFAULT_TIMEOUT_MS } = settings;
  if (typeof answersErrors !== "boolean") {
    throw new UsageError(`a bind's answersErrors is true or false, not ${JSON.stringify(answersErrors)}`);
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) {
    throw new UsageError(
      `a bind's timeoutMs is a whole number from 1 to ${LONGEST_TIMEOUT_MS}, not ${String(timeoutMs)}`,
    );
  }
  return { dialect, answersErrors, timeoutMs };
}

function dialectsOf(dialect: Bind["dialect"], answersErrors: boolean, timeoutMs: number): readonly BrokerDialect[] {
  const mdp = majordomo({ answersErrors, timeoutMs });
  const others = [...mdp, butler({ readsWorkers: dialect === "butler", wallClock: Date.now })];
  switch (dialect) {
    case undefined:
    case "butler":
      return [pigato, ...others];
    case "omdp":
      return [omdp, ...others];
    default:
      throw new UsageError(`a bind's dialect is "omdp" or "butler", not ${JSON.stringify(dialect satisfies never)}`);
  }
}

function isSides(where: Side | Sides): where is Sides {
  return typeof where === "object" && where !== null && "frontend" in where && "backend" in where;
}

function isList(side: Side): side is readonly (string | Bind)[] {
  return Array.isArray(side);
}

function noAddress(where: unknown): UsageError {
  return new UsageError(`a broker listens at one or more addresses, not at ${JSON.stringify(where)}`);
}

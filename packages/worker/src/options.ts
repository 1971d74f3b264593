// What a worker can be told, checked once at its construction. Classic option names live here alone: past this file a
// limit of −1 is `Infinity`, nothing is optional and every value is within its bounds.

import {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIVENESS,
  MAX_HEARTBEAT_MS,
  MAX_NAME_BYTES,
  MIN_LIVENESS,
  peerIdFromText,
  type ServiceName,
  serviceNameFromText,
  UsageError,
} from "@pigato/protocol";
import {
  automatic,
  type Clock,
  type CurveOptions,
  chosenTransport,
  type PeerSecurity,
  type PlainOptions,
  systemClock,
  type Transport,
  type TransportChoice,
} from "@pigato/transport";
import { nanoid } from "nanoid";
import { type Logger, pino } from "pino";
import { DIALECTS, type DialectName, isDialectName, notCarried } from "./dialect.ts";
import { resolveSecurity } from "./security.ts";

export interface WorkerOptions {
  /**
   * What to speak to the broker: `pigato`, or Majordomo as RFC 18 (`mdp02`) or RFC 7 (`mdp01`) has it. Those carry one request
   * at a time, its data and that of its reply; what asks for more is a `UsageError`.
   * @defaultValue "pigato"
   */
  readonly dialect?: DialectName | undefined;
  /**
   * Milliseconds between heartbeats to the broker. Need not equal the broker's.
   * @defaultValue 2500. From 10 to 60 000.
   */
  readonly heartbeat?: number | undefined;
  /**
   * Heartbeat intervals without a word from the broker after which it counts as gone.
   * @defaultValue 3. From 2 to 100.
   */
  readonly heartbeatLiveness?: number | undefined;
  /**
   * Milliseconds before coming back to a lost broker; doubles with every attempt that fails.
   * @defaultValue 1000. From 1 to 3 600 000.
   */
  readonly reconnect?: number | undefined;
  /**
   * Milliseconds that no pause between two attempts exceeds; `reconnect`, where that is longer.
   * @defaultValue 5000. From 1 to 3 600 000.
   */
  readonly reconnectMaxMs?: number | undefined;
  /**
   * Milliseconds to wait for one of several addresses before trying the next. A single address is waited for.
   * @defaultValue 3000. From 1 to 3 600 000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The most requests that the broker may have this worker handle at a time; −1 is no limit, 0 a pause. In Majordomo it is 1.
   * @defaultValue 100. From −1 to 1 000 000. May be changed later: `worker.conf.concurrency = 2`.
   */
  readonly concurrency?: number | undefined;
  /**
   * Requests in flight above which further ones are rejected at once, or `concurrency` where that is more: the guard of
   * a worker without a limit, and against a broker that does not keep to one.
   * @defaultValue 100 000. From 1 to 1 000 000.
   */
  readonly maxInFlight?: number | undefined;
  /**
   * Bytes of replies that handlers may write without waiting for `drain` while their callers do not read, of all requests;
   * beyond, a request ends with `BUSY`. A part counts with 256 bytes more than it has.
   * @defaultValue 67 108 864. From 0 to 1 073 741 824.
   */
  readonly maxHeldBytes?: number | undefined;
  /**
   * Milliseconds that `stop()` lets running requests go on.
   * @defaultValue 5000. From 0 (do not wait) to 3 600 000.
   */
  readonly stopTimeoutMs?: number | undefined;
  /**
   * Whether to offer the broker what goes beyond the classic wire. Without it, the worker is not told that a caller gave
   * up, and every frame is as npm `pigato@0.0.46` would have sent it.
   * @defaultValue true
   */
  readonly negotiate?: boolean | undefined;
  /**
   * The first part of the worker's id at the broker; the second is new with every connection.
   * @defaultValue `W` and a random id. 1 to 128 bytes of UTF-8, the first of them not U+0000.
   */
  readonly prefix?: string | undefined;
  /**
   * Keys of CURVE: its own, by which the broker knows it, and the broker's, by which it knows the broker. What is said is
   * secret, and nobody else can play the broker. @defaultValue none: everything is in clear
   */
  readonly curve?: CurveOptions;
  /** A name and a password for a broker that asks for them. They go there in clear. @defaultValue none */
  readonly plain?: PlainOptions;
  /** A listener for the `start` event. */
  readonly onStart?: (() => void) | undefined;
  /** A listener for the `stop` event. */
  readonly onStop?: (() => void) | undefined;
  /** A listener for the `connect` event. */
  readonly onConnect?: (() => void) | undefined;
  /** A listener for the `disconnect` event. */
  readonly onDisconnect?: (() => void) | undefined;
  /** Where to log, a pino logger. @defaultValue a silent one */
  readonly logger?: Logger | undefined;
  /**
   * How frames move: `"zmtp"`, `"libzmq"` or a transport of your own.
   * @defaultValue `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://`, and for all with `curve` or `plain`
   */
  readonly transport?: TransportChoice | undefined;
  /** Time and alarms. @defaultValue the system's monotonic clock */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 up to 1, for the jitter of reconnects. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** Every option with its value. */
export type WorkerSettings = {
  readonly [Name in Exclude<keyof WorkerOptions, "curve" | "plain">]-?: Name extends "transport"
    ? Transport
    : NonNullable<WorkerOptions[Name]>;
} & {
  /** What `curve` or `plain` comes to. It shows no key. */
  readonly security: PeerSecurity | undefined;
};

/** `worker.conf`: the options in force. Setting `concurrency` tells the broker; the rest is read-only. */
export type WorkerConf = Omit<WorkerSettings, "concurrency"> & { concurrency: number };

export const DEFAULTS: {
  readonly heartbeat: number;
  readonly heartbeatLiveness: number;
  readonly reconnect: number;
  readonly reconnectMaxMs: number;
  readonly connectTimeoutMs: number;
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly stopTimeoutMs: number;
  readonly maxHeldBytes: number;
} = Object.freeze({
  heartbeat: DEFAULT_HEARTBEAT_MS,
  heartbeatLiveness: DEFAULT_LIVENESS,
  reconnect: 1_000,
  reconnectMaxMs: 5_000,
  connectTimeoutMs: 3_000,
  concurrency: 100,
  maxInFlight: 100_000,
  stopTimeoutMs: 5_000,
  maxHeldBytes: 64 * 1024 * 1024,
});

const HOUR_MS = 3_600_000;
const MAX_COUNT = 1_000_000;
/** Leaves room in a routing id for the part that is new with every connection. */
const MAX_PREFIX_BYTES = 128;

/** Says what a value must be; `undefined` if it is that. */
type Check = (value: unknown) => string | undefined;

const CHECKS: Readonly<Record<keyof WorkerOptions, Check>> = {
  dialect: (value) => (isDialectName(value) ? undefined : `one of ${Object.keys(DIALECTS).join(", ")}`),
  heartbeat: integer(10, MAX_HEARTBEAT_MS),
  heartbeatLiveness: integer(MIN_LIVENESS, 100),
  reconnect: integer(1, HOUR_MS),
  reconnectMaxMs: integer(1, HOUR_MS),
  connectTimeoutMs: integer(1, HOUR_MS),
  concurrency: integer(-1, MAX_COUNT),
  maxInFlight: integer(1, MAX_COUNT),
  maxHeldBytes: integer(0, 1024 * 1024 * 1024),
  stopTimeoutMs: integer(0, HOUR_MS),
  negotiate: (value) => (typeof value === "boolean" ? undefined : "true or false"),
  // What they are is looked at together.
  curve: () => undefined,
  plain: () => undefined,
  prefix: (value) => (isPrefix(value) ? undefined : `a string of 1 to ${MAX_PREFIX_BYTES} bytes`),
  onStart: callback,
  onStop: callback,
  onConnect: callback,
  onDisconnect: callback,
  logger: having("info", "a pino logger"),
  transport: (value) => (chosenTransport(value) ? undefined : '"zmtp", "libzmq" or a transport'),
  clock: having("alarm", "a clock"),
  random: callback,
};

/** Whether a worker has an option of this name. */
export function isWorkerOption(name: string): name is keyof WorkerOptions {
  return Object.hasOwn(CHECKS, name);
}

/** @throws UsageError for an unknown option or a value out of its bounds */
export function resolveOptions(input: WorkerOptions): WorkerSettings {
  if (typeof input !== "object" || input === null) {
    throw new UsageError(`the worker's options must be an object, not ${shown(input)}`);
  }
  for (const name of Object.keys(input)) {
    if (!isWorkerOption(name)) throw new UsageError(`a worker has no option "${name}"`);
  }
  for (const [name, check] of Object.entries(CHECKS)) {
    const value: unknown = Reflect.get(input, name);
    if (value !== undefined) checkOption(name, value, check);
  }
  const { dialect = "pigato" } = input;
  const transport = chosenTransport(input.transport) ?? automatic;
  checkCarried(dialect, input);
  return Object.freeze({
    dialect,
    heartbeat: input.heartbeat ?? DEFAULTS.heartbeat,
    heartbeatLiveness: input.heartbeatLiveness ?? DEFAULTS.heartbeatLiveness,
    reconnect: input.reconnect ?? DEFAULTS.reconnect,
    reconnectMaxMs: input.reconnectMaxMs ?? DEFAULTS.reconnectMaxMs,
    connectTimeoutMs: input.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
    concurrency: dialect === "pigato" ? (input.concurrency ?? DEFAULTS.concurrency) : 1,
    maxInFlight: dialect === "pigato" ? (input.maxInFlight ?? DEFAULTS.maxInFlight) : 1,
    maxHeldBytes: input.maxHeldBytes ?? DEFAULTS.maxHeldBytes,
    stopTimeoutMs: input.stopTimeoutMs ?? DEFAULTS.stopTimeoutMs,
    negotiate: input.negotiate ?? true,
    security: resolveSecurity(input, transport),
    prefix: input.prefix ?? `W${nanoid()}`,
    onStart: input.onStart ?? noListener,
    onStop: input.onStop ?? noListener,
    onConnect: input.onConnect ?? noListener,
    onDisconnect: input.onDisconnect ?? noListener,
    logger: input.logger ?? pino({ level: "silent" }),
    transport,
    clock: input.clock ?? systemClock,
    random: input.random ?? Math.random,
  });
}

/** The settings as `worker.conf`. @param onConcurrency told every new limit, as `limitOf` gives it */
export function liveOptions(settings: WorkerSettings, onConcurrency: (limit: number) => void): WorkerConf {
  let { concurrency } = settings;
  return Object.freeze({
    ...settings,
    get concurrency(): number {
      return concurrency;
    },
    set concurrency(value: number) {
      checkOption("concurrency", value, CHECKS.concurrency);
      checkCarried(settings.dialect, { concurrency: value });
      concurrency = value;
      onConcurrency(limitOf(value));
    },
  });
}

/** @throws UsageError for options that ask a dialect for more than it has */
function checkCarried(dialect: DialectName, { concurrency, maxInFlight, negotiate }: WorkerOptions): void {
  if (dialect === "pigato") return;
  if (concurrency !== undefined && concurrency !== 1) {
    throw notCarried(dialect, `a concurrency of ${concurrency}`, "a worker there has one request at a time");
  }
  if (maxInFlight !== undefined) {
    throw notCarried(dialect, "maxInFlight", "a worker there has one request at a time");
  }
  if (negotiate === true) throw notCarried(dialect, "negotiate", "its wire has no frame for it");
}

/** A `concurrency` as a number to compare with: −1 is `Infinity`. */
export function limitOf(concurrency: number): number {
  return concurrency < 0 ? Number.POSITIVE_INFINITY : concurrency;
}

/** @throws UsageError for anything but one address or a list of them, and with security for inproc, which knows none */
export function resolveAddresses(input: string | readonly string[], security?: PeerSecurity): readonly string[] {
  const addresses: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (addresses.length === 0) throw new UsageError("a worker needs at least one broker address");
  return addresses.map((address) => {
    if (typeof address === "string" && /^[a-z]+:\/\/./.test(address)) {
      if (security === undefined || !address.startsWith("inproc:")) return address;
      throw new UsageError(`with curve or plain a broker is at tcp or ipc, not at ${address}`);
    }
    throw new UsageError(`a broker address must be like "tcp://localhost:55555", not ${shown(address)}`);
  });
}

/** @throws UsageError for a name that the wire cannot carry */
export function resolveService(input: string): ServiceName {
  if (typeof input === "string" && input !== "") {
    const name = serviceNameFromText(input);
    if (name.length <= MAX_NAME_BYTES) return name;
  }
  throw new UsageError(`a service name must be a string of 1 to ${MAX_NAME_BYTES} bytes, not ${shown(input)}`);
}

function checkOption(name: string, value: unknown, check: Check): void {
  const demand = check(value);
  if (demand !== undefined) throw new UsageError(`the worker option "${name}" must be ${demand}, not ${shown(value)}`);
}

function integer(min: number, max: number): Check {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? undefined
      : `an integer from ${min} to ${max}`;
}

function callback(value: unknown): string | undefined {
  return typeof value === "function" ? undefined : "a function";
}

function having(method: string, what: string): Check {
  return (value) =>
    typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function" ? undefined : what;
}

function isPrefix(value: unknown): boolean {
  if (typeof value !== "string" || value === "" || value.startsWith("\0")) return false;
  return peerIdFromText(value).length <= MAX_PREFIX_BYTES;
}

function noListener(): void {}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

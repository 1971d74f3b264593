// The options of a client: the names its users know, their defaults and bounds. Past `resolveOptions` nothing is
// optional and the classic names are gone.

import type { Backoff } from "@pigato/peer/session";
import {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIVENESS,
  DEFAULT_TIMEOUT_MS,
  MAX_HEARTBEAT_MS,
  MIN_LIVENESS,
  peerIdFromText,
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
import { type ClientDialect, DIALECTS, type DialectName, isDialectName, notCarried } from "./dialect.ts";
import { readSecurity } from "./security.ts";
import { readCount, readDurationMs, readFlag, readTimeoutMs, rejectUnknownKeys, wrong } from "./validate.ts";

/** Durations are milliseconds and at most 2 147 483 647, unless said otherwise. */
export interface ClientOptions {
  /** Whether to start when made. @defaultValue false */
  readonly autostart?: boolean | undefined;
  /** How the routing id starts, which is new in every life of the connection: 1 to 128 bytes. @defaultValue "C" and a random id */
  readonly prefix?: string | undefined;

  /** Milliseconds between heartbeats: 1 to 60 000. Majordomo clients have none. @defaultValue 2500 */
  readonly heartbeat?: number | undefined;
  /** Heartbeat intervals without a word of the broker after which it counts as lost: 2 to 1000. @defaultValue 3 */
  readonly heartbeatLiveness?: number | undefined;
  /** Milliseconds before the first attempt to reconnect; it doubles from there. At least 1. @defaultValue 1000 */
  readonly reconnect?: number | undefined;
  /** Milliseconds that no pause between attempts exceeds. At least 1. @defaultValue 5000 */
  readonly reconnectMaxMs?: number | undefined;
  /** With several addresses: milliseconds that one gets before the next is tried. At least 1. @defaultValue 3000 */
  readonly connectTimeoutMs?: number | undefined;

  /** Milliseconds that a request may stay without any reply; −1 is no limit, 0 expires at once. @defaultValue 60 000 */
  readonly timeout?: number | undefined;
  /**
   * Whether a request goes out again when its worker or its broker is lost before the first reply. It may then run
   * twice. @defaultValue 0
   */
  readonly retry?: boolean | 0 | 1 | undefined;
  /**
   * Milliseconds that the client waits longer than a request's timeout for the broker's own word on how far the
   * request came; only with a broker that gives it. At least 0. @defaultValue 200
   */
  readonly timeoutGraceMs?: number | undefined;
  /** Milliseconds that open requests get to end after `stop()`. At least 0. @defaultValue 5000 */
  readonly stopTimeoutMs?: number | undefined;

  /**
   * What to speak to the broker: `pigato`, or Majordomo as RFC 18 (`mdp02`) or RFC 7 (`mdp01`) has it. Those carry a request's
   * data and nothing else: options that ask for more are a `UsageError`, and one request is open at a time.
   * @defaultValue "pigato"
   */
  readonly dialect?: DialectName | undefined;
  /**
   * Whether to offer the broker what goes beyond the classic wire. Without it, cancellation and the reasons of failures
   * get lost on the way, and every frame is as npm `pigato@0.0.46` would have sent it. @defaultValue true
   */
  readonly negotiate?: boolean | undefined;

  /**
   * Keys of CURVE: its own, by which the broker knows it, and the broker's, by which it knows the broker. What is said is
   * secret, and nobody else can play the broker. @defaultValue none: everything is in clear
   */
  readonly curve?: CurveOptions;
  /** A name and a password for a broker that asks for them. They go there in clear. @defaultValue none */
  readonly plain?: PlainOptions;

  /** Requests that may wait while no link is up, or in Majordomo for their turn; the next one fails with `BUSY`. 0 to 10 000 000. @defaultValue 10 000 */
  readonly maxQueuedRequests?: number | undefined;
  /** Requests that may be open; the next one fails with `BUSY`. 1 to 10 000 000. @defaultValue 100 000 */
  readonly maxOpenRequests?: number | undefined;

  /** A listener of the event `start`. */
  readonly onStart?: (() => void) | undefined;
  /** A listener of the event `stop`. */
  readonly onStop?: (() => void) | undefined;
  /** A listener of the event `connect`. */
  readonly onConnect?: (() => void) | undefined;
  /** A listener of the event `disconnect`. */
  readonly onDisconnect?: (() => void) | undefined;

  /** Where to log, a pino logger. @defaultValue a silent one */
  readonly logger?: Logger | undefined;
  /**
   * What moves the frames: `"zmtp"`, `"libzmq"` or a transport of your own.
   * @defaultValue `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://`, and for all with `curve` or `plain`
   */
  readonly transport?: TransportChoice | undefined;
  /** Time and alarms. @defaultValue the process's monotonic clock */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 up to 1 that spread the pauses before reconnecting. @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
}

export interface ResolvedOptions {
  readonly autostart: boolean;
  readonly prefix: string;
  readonly heartbeatMs: number;
  readonly liveness: number;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number;
  /** `Infinity` is no limit. */
  readonly timeoutMs: number;
  readonly retry: boolean;
  readonly timeoutGraceMs: number;
  readonly stopTimeoutMs: number;
  readonly dialect: ClientDialect;
  readonly negotiate: boolean;
  /** What `curve` or `plain` comes to. It shows no key. */
  readonly security: PeerSecurity | undefined;
  readonly maxQueuedRequests: number;
  readonly maxOpenRequests: number;
  readonly onStart: (() => void) | undefined;
  readonly onStop: (() => void) | undefined;
  readonly onConnect: (() => void) | undefined;
  readonly onDisconnect: (() => void) | undefined;
  readonly logger: Logger;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What an absent option stands for. A prefix and a logger are made anew for each client. */
const DEFAULTS: Omit<ResolvedOptions, "prefix" | "logger"> = Object.freeze({
  autostart: false,
  heartbeatMs: DEFAULT_HEARTBEAT_MS,
  liveness: DEFAULT_LIVENESS,
  backoff: Object.freeze({ firstMs: 1_000, maxMs: 5_000 }),
  connectTimeoutMs: 3_000,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  retry: false,
  timeoutGraceMs: 200,
  stopTimeoutMs: 5_000,
  dialect: DIALECTS.pigato,
  negotiate: true,
  security: undefined,
  maxQueuedRequests: 10_000,
  maxOpenRequests: 100_000,
  onStart: undefined,
  onStop: undefined,
  onConnect: undefined,
  onDisconnect: undefined,
  transport: automatic,
  clock: systemClock,
  random: Math.random,
});

const MAX_PREFIX_BYTES = 128;
const MAX_BOUND = 10_000_000;
/** `scheme://rest`. What the rest means is the transport's business. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/./;

/** What Majordomo has no frames for. */
const BEYOND_MAJORDOMO = ["heartbeat", "heartbeatLiveness", "retry", "timeoutGraceMs", "negotiate"] as const;

const KEYS: ReadonlySet<string> = new Set(
  Object.keys({
    autostart: true,
    prefix: true,
    heartbeat: true,
    heartbeatLiveness: true,
    reconnect: true,
    reconnectMaxMs: true,
    connectTimeoutMs: true,
    timeout: true,
    retry: true,
    timeoutGraceMs: true,
    stopTimeoutMs: true,
    dialect: true,
    negotiate: true,
    curve: true,
    plain: true,
    maxQueuedRequests: true,
    maxOpenRequests: true,
    onStart: true,
    onStop: true,
    onConnect: true,
    onDisconnect: true,
    logger: true,
    transport: true,
    clock: true,
    random: true,
  } satisfies Record<keyof ClientOptions, true>),
);

/** Whether a client has an option of this name. */
export function isClientOption(name: string): name is keyof ClientOptions {
  return KEYS.has(name);
}

/** @throws UsageError for an unknown key or a value out of its bounds */
export function resolveOptions(input: ClientOptions = {}): ResolvedOptions {
  if (typeof input !== "object" || input === null) throw wrong("the options of a client", "an object", input);
  rejectUnknownKeys("the options of a client", input, KEYS);
  const {
    autostart = DEFAULTS.autostart,
    prefix = `C${nanoid()}`,
    heartbeat = DEFAULTS.heartbeatMs,
    heartbeatLiveness = DEFAULTS.liveness,
    reconnect = DEFAULTS.backoff.firstMs,
    reconnectMaxMs = DEFAULTS.backoff.maxMs,
    connectTimeoutMs = DEFAULTS.connectTimeoutMs,
    timeout = DEFAULTS.timeoutMs,
    retry = DEFAULTS.retry,
    timeoutGraceMs = DEFAULTS.timeoutGraceMs,
    stopTimeoutMs = DEFAULTS.stopTimeoutMs,
    negotiate = DEFAULTS.negotiate,
    maxQueuedRequests = DEFAULTS.maxQueuedRequests,
    maxOpenRequests = DEFAULTS.maxOpenRequests,
    logger = silentLogger(),
    clock = DEFAULTS.clock,
    random = DEFAULTS.random,
  } = input;
  const dialect = readDialect(input);
  const transport = readTransport(input.transport);
  return {
    autostart: readFlag("autostart", autostart),
    prefix: readPrefix(prefix),
    heartbeatMs: readDurationMs("heartbeat", heartbeat, 1, MAX_HEARTBEAT_MS),
    liveness: readCount("heartbeatLiveness", heartbeatLiveness, MIN_LIVENESS, 1_000),
    backoff: {
      firstMs: readDurationMs("reconnect", reconnect, 1),
      maxMs: readDurationMs("reconnectMaxMs", reconnectMaxMs, 1),
    },
    connectTimeoutMs: readDurationMs("connectTimeoutMs", connectTimeoutMs, 1),
    timeoutMs: readTimeoutMs("timeout", timeout),
    retry: readFlag("retry", retry),
    timeoutGraceMs: readDurationMs("timeoutGraceMs", timeoutGraceMs, 0),
    stopTimeoutMs: readDurationMs("stopTimeoutMs", stopTimeoutMs, 0),
    dialect,
    negotiate: readFlag("negotiate", negotiate),
    security: readSecurity(input, transport),
    maxQueuedRequests: readCount("maxQueuedRequests", maxQueuedRequests, 0, MAX_BOUND),
    maxOpenRequests: readCount("maxOpenRequests", maxOpenRequests, 1, MAX_BOUND),
    onStart: readListener("onStart", input.onStart),
    onStop: readListener("onStop", input.onStop),
    onConnect: readListener("onConnect", input.onConnect),
    onDisconnect: readListener("onDisconnect", input.onDisconnect),
    logger: readParts("logger", logger, ["debug", "warn", "error"]),
    transport,
    clock: readParts("clock", clock, ["now", "alarm"]),
    random: readFunction("random", random),
  };
}

/** The addresses of brokers: one, or several to be tried in turn. @throws UsageError for anything else */
export function resolveAddresses(input: string | readonly string[], security?: PeerSecurity): readonly string[] {
  const addresses: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (addresses.length === 0) throw wrong("the address", "at least one address", input);
  return addresses.map((address) => {
    if (typeof address === "string" && ADDRESS.test(address)) {
      if (security === undefined || !address.startsWith("inproc:")) return address;
      throw wrong("the address", "one of tcp or ipc, because inproc knows neither curve nor plain", address);
    }
    throw wrong("the address", "text such as tcp://localhost:55555, or an array of such", address);
  });
}

/** @throws UsageError for an unknown dialect, and for options that ask it for more than it has */
function readDialect(input: ClientOptions): ClientDialect {
  const { dialect = DEFAULTS.dialect.id } = input;
  if (!isDialectName(dialect)) throw wrong("dialect", Object.keys(DIALECTS).join(", "), dialect);
  if (dialect !== "pigato") {
    for (const name of BEYOND_MAJORDOMO) {
      const value = input[name];
      if (value !== undefined && value !== false && value !== 0) throw notCarried(dialect, name);
    }
  }
  return DIALECTS[dialect];
}

function readPrefix(value: unknown): string {
  if (typeof value === "string" && !value.startsWith("\0")) {
    const { length } = peerIdFromText(value);
    if (length > 0 && length <= MAX_PREFIX_BYTES) return value;
  }
  throw wrong("prefix", `text of 1 to ${MAX_PREFIX_BYTES} bytes that does not start with U+0000`, value);
}

function readTransport(value: TransportChoice | undefined): Transport {
  const transport = chosenTransport(value);
  if (transport !== undefined) return transport;
  throw wrong("transport", '"zmtp", "libzmq" or something with router() and dealer()', value);
}

function readListener(name: string, value: (() => void) | undefined): (() => void) | undefined {
  return value === undefined ? undefined : readFunction(name, value);
}

function readFunction<Result>(name: string, value: () => Result): () => Result {
  if (typeof value === "function") return value;
  throw wrong(name, "a function", value);
}

/** Checks that something injected has the methods that are called on it. */
function readParts<Part extends object>(name: string, value: Part, methods: readonly string[]): Part {
  const isObject = typeof value === "object" && value !== null;
  if (isObject && methods.every((method) => typeof Reflect.get(value, method) === "function")) return value;
  throw wrong(name, `something with ${methods.join("(), ")}()`, value);
}

function silentLogger(): Logger {
  return pino({ level: "silent" }, { write: () => {} });
}

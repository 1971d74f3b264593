// The options that a client and a worker share.

import { UsageError } from "@pigato/protocol";
import {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIVENESS,
  DEFAULT_SIZE_BOUNDS,
  isWellFormed,
  MAX_HEARTBEAT_MS,
  MIN_LIVENESS,
  peerIdFromText,
} from "@pigato/protocol/internal";
import {
  automatic,
  type Clock,
  type CurveOptions,
  type PlainOptions,
  resolveTransport,
  systemClock,
  type Transport,
  type TransportChoice,
} from "@pigato/transport";
import { nanoid } from "nanoid";
import { guardedRandom, type Logger, newSilentLogger } from "./guard.ts";
import {
  bit,
  callable,
  choice,
  custom,
  integer,
  type Option,
  objectWith,
  optionalCallable,
  type StrictOption,
  strict,
  text,
} from "./options/option.ts";
import type { SettingsOf } from "./options/resolve.ts";
import type { ConnectionOptions } from "./session/connection.ts";
import type { Negotiation } from "./session/negotiation.ts";

export type DialectName = "pigato" | "mdp02" | "mdp01" | "omdp";

const HOUR_MS = 3_600_000;
const KIB = 1024;
const MAX_BYTES = 1024 * 1024 * KIB;
/** Leaves room in a routing id for the part that is new with every connection. */
const MAX_PREFIX_BYTES = 128;

const LOGGER: Option<Logger> = objectWith<Logger>({
  methods: ["debug", "info", "warn", "error"],
  makeDefault: newSilentLogger,
});

export class PeerSchema {
  /**
   * The protocol to speak to the broker: `pigato`, Majordomo of RFC 18 (`mdp02`) or RFC 7 (`mdp01`), or that of zmq-omdp (`omdp`).
   * Majordomo carries one request at a time, its data and its reply's. Options that a dialect cannot carry are a `UsageError`.
   * @defaultValue "pigato"
   */
  readonly dialect: Option<DialectName> = choice({ choices: ["pigato", "mdp02", "mdp01", "omdp"], default: "pigato" });
  /** Milliseconds between heartbeats to the broker. Need not equal the broker's. @defaultValue 2500 */
  readonly heartbeat: Option<number> = integer({
    unit: "ms",
    min: 10,
    max: MAX_HEARTBEAT_MS,
    default: DEFAULT_HEARTBEAT_MS,
  });
  /** Heartbeat intervals without a message from the broker after which it counts as lost. @defaultValue 3 */
  readonly heartbeatLiveness: Option<number> = integer({ min: MIN_LIVENESS, max: 100, default: DEFAULT_LIVENESS });
  /**
   * Milliseconds before the first attempt to reconnect after a connection was lost; doubles with every attempt that fails. Of several
   * addresses, all are tried between two pauses. A single address that accepts no connection is tried again after 100 ms, then after
   * pauses that double up to 5 seconds, independently of this option.
   * @defaultValue 1000
   */
  readonly reconnect: Option<number> = integer({ unit: "ms", min: 1, max: HOUR_MS, default: 1_000 });
  /** Milliseconds that no pause between two attempts exceeds; `reconnect`, if that is longer. @defaultValue 5000 */
  readonly reconnectMaxMs: Option<number> = integer({ unit: "ms", min: 1, max: HOUR_MS, default: 5_000 });
  /**
   * Milliseconds to wait for one of several addresses before trying the next. An address that fails, for example because its host
   * refuses the connection, is given up at once. A single address has no limit.
   * @defaultValue 3000
   */
  readonly connectTimeoutMs: Option<number> = integer({ unit: "ms", min: 1, max: HOUR_MS, default: 3_000 });
  /**
   * The most bytes of one frame that it accepts, announced to the broker. A request or a reply with a larger one fails, at its
   * sender if that is announced. @defaultValue 64 MiB
   */
  readonly maxFrameBytes: Option<number> = integer({
    unit: "bytes",
    min: KIB,
    max: MAX_BYTES,
    default: DEFAULT_SIZE_BOUNDS.maxFrameBytes,
  });
  /** The most bytes of one message that it accepts, as `maxFrameBytes` of one frame. @defaultValue 256 MiB */
  readonly maxMessageBytes: Option<number> = integer({
    unit: "bytes",
    min: 4 * KIB,
    max: MAX_BYTES,
    default: DEFAULT_SIZE_BOUNDS.maxMessageBytes,
  });
  /**
   * Whether data may have values that JSON loses: NaN becomes null, a Map becomes `{}`, a function is left out. Otherwise they are a
   * `UsageError` that names their place and the codec that carries them. @defaultValue false
   */
  readonly allowLoss: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /** Milliseconds that `stop()` waits for open requests. 0 does not wait. @defaultValue 5000 */
  readonly stopTimeoutMs: Option<number> = integer({ unit: "ms", min: 0, max: HOUR_MS, default: 5_000 });
  /**
   * Whether to offer the broker more than the classic wire. Without it, cancellation and the reasons of failures are not sent,
   * and every frame is as npm `pigato@0.0.46` sends it. `announced`: only to a broker that announces in its handshake that it
   * answers offers, which brokers over libzmq cannot.
   * @defaultValue true
   */
  readonly negotiate: Option<Negotiation> = custom<Negotiation>({
    expected: 'true, false or "announced"',
    read: (value) => (typeof value === "boolean" || value === "announced" ? value : undefined),
    default: true,
  });
  /**
   * CURVE keys: `secretKey`, its own, from which the `publicKey` that the broker knows follows, and `serverKey`, the broker's public
   * key. Traffic is encrypted, and the broker is authenticated.
   * @defaultValue none: everything is sent in clear
   */
  readonly curve: StrictOption<CurveOptions, CurveOptions | undefined> = strict(anyObject<CurveOptions>());
  /** User name and password for a broker that asks for them. They are sent in clear. @defaultValue none */
  readonly plain: StrictOption<PlainOptions, PlainOptions | undefined> = strict(anyObject<PlainOptions>());
  /** A listener for the `start` event. */
  readonly onStart: Option<() => void, (() => void) | undefined> = optionalCallable<() => void>();
  /** A listener for the `stop` event. */
  readonly onStop: Option<() => void, (() => void) | undefined> = optionalCallable<() => void>();
  /** A listener for the `connect` event. */
  readonly onConnect: Option<() => void, (() => void) | undefined> = optionalCallable<() => void>();
  /** A listener for the `disconnect` event. */
  readonly onDisconnect: Option<() => void, (() => void) | undefined> = optionalCallable<() => void>();
  /**
   * Where to log: `console`, a pino logger or any other with these methods. Without one, warnings go to the process; `false` turns them off, too.
   * @defaultValue none: warnings of the process
   */
  readonly logger: Option<Logger | false, Logger> = custom<Logger | false, Logger>({
    expected: `${LOGGER.expected}, or false`,
    read: (value) => (value === false ? LOGGER.makeDefault() : LOGGER.read(value)),
    makeDefault: () => LOGGER.makeDefault(),
  });
  /**
   * What moves the frames: `"zmtp"`, `"libzmq"` or a transport of your own. `libzmq` needs the package `zeromq`.
   * @defaultValue `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://`, and for all with `curve` or `plain`
   */
  readonly transport: Option<TransportChoice, Transport> = custom<TransportChoice, Transport>({
    expected: '"zmtp", "libzmq" or a transport',
    read: resolveTransport,
    default: automatic,
  });
  /** Time and alarms. @defaultValue the system's monotonic clock */
  readonly clock: Option<Clock> = objectWith<Clock>({ methods: ["now", "alarm"], default: systemClock });
  /** Numbers from 0 up to 1, for the jitter of reconnects. @defaultValue `Math.random` */
  readonly random: Option<() => number> = callable<() => number>({ default: Math.random });
}

/** The options of `Connection`. */
export function connectionOptions(
  settings: Omit<SettingsOf<PeerSchema>, "curve" | "plain">,
  addresses: readonly string[],
): ConnectionOptions {
  const { heartbeat, heartbeatLiveness, reconnect, reconnectMaxMs, connectTimeoutMs, random, dialect } = settings;
  return {
    addresses,
    heartbeatMs: heartbeat,
    liveness: heartbeatLiveness,
    backoff: { firstMs: reconnect, maxMs: reconnectMaxMs },
    connectTimeoutMs,
    brokerAnswers: dialect === "pigato",
    random: guardedRandom(random),
  };
}

/** The first part of a routing id. @param letter how the default starts */
export function prefixOption(letter: "C" | "W"): Option<string> {
  return text({
    expected: `text of 1 to ${MAX_PREFIX_BYTES} bytes of UTF-8 that does not start with U+0000`,
    isValid: (value) => isRoutingIdText(value, MAX_PREFIX_BYTES),
    makeDefault: () => `${letter}${nanoid()}`,
  });
}

export function isRoutingIdText(value: string, maxBytes: number): boolean {
  return value !== "" && !value.startsWith("\0") && isWellFormed(value) && peerIdFromText(value).length <= maxBytes;
}

/** The error for a feature that a dialect does not support. */
export function notCarried(dialect: DialectName, what: string, why = "its wire has no frame for it"): UsageError {
  return new UsageError(`${what} cannot be used with the dialect "${dialect}": ${why}`);
}

/** `resolvePeerSecurity` checks its content, together with the transport. */
function anyObject<Value extends object>(): Option<Value, Value | undefined> {
  const isValue = (value: unknown): value is Value => typeof value === "object" && value !== null;
  return custom<Value, Value | undefined>({
    expected: "an object",
    read: (value) => (isValue(value) ? value : undefined),
    default: undefined,
  });
}

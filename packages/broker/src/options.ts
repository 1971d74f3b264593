// The broker's options: what they are called, what they mean, their bounds. Past `resolveOptions` nothing is optional.
// The command takes its flags and environment variables from the same table.

import { DEFAULT_HEARTBEAT_MS, DEFAULT_LIVENESS, MAX_HEARTBEAT_MS, MIN_LIVENESS, UsageError } from "@pigato/protocol";
import {
  automatic,
  type Clock,
  type CurveServerOptions,
  chosenTransport,
  DEFAULT_LINK_LIMITS,
  systemClock,
  type Transport,
  type TransportChoice,
} from "@pigato/transport";
import { type Logger, pino } from "pino";
import { newChannelAddress } from "./channel-address.ts";
import type { DispatchMode, WhenDeclined } from "./core/core-options.ts";
import { type Authenticate, resolveSecurity, type SecurityOf } from "./security.ts";
import { MemoryStore, type RequestStore } from "./store.ts";

export interface BrokerOptions {
  /** Milliseconds between heartbeats, 10 to 60 000. @defaultValue 2500 */
  readonly heartbeat?: number;
  /** Silent heartbeat intervals after which a peer counts as gone, 2 to 100. @defaultValue 3 */
  readonly heartbeatLiveness?: number;
  /**
   * How a worker is chosen: `load`, the least loaded, of equals the one waiting longest; `lru`, the one waiting longest;
   * `rand`, the less loaded of two random ones. @defaultValue "load"
   */
  readonly dmode?: DispatchMode;
  /**
   * What becomes of a request that every worker of its service has declined: `fail`, it ends with `REJECTED`; `wait`, it
   * waits within its timeout for a worker that is yet to come. @defaultValue "fail"
   */
  readonly whenDeclined?: WhenDeclined;
  /**
   * Milliseconds that a worker which did not announce its concurrency gets no request, waiting for the heartbeat that
   * tells it, and that a client which is back may ask again before it gets what is held for it; 0 to 60 000.
   * @defaultValue 100
   */
  readonly settleMs?: number;
  /** Milliseconds that `stop()` waits for running requests; what is open then fails with `CLOSED`. @defaultValue 5000 */
  readonly stopTimeoutMs?: number;
  /**
   * Where the internal channel is bound, on which core services such as the directory hear of changes: an address, or
   * `false` for none. @defaultValue an ipc address of this broker's own
   */
  readonly intch?: string | false;
  /**
   * Milliseconds that a worker which sends no heartbeat while it works (Majordomo, butler) may work on one request; then
   * it counts as gone. 1000 to 86 400 000. @defaultValue 900 000
   */
  readonly busyTimeoutMs?: number;
  /**
   * Milliseconds after a message for which it looks for the next one instead of sleeping, 0 to 1000: a request that travels
   * alone is answered sooner, and a core is busy meanwhile. Without effect over libzmq. @defaultValue 0
   */
  readonly spinMs?: number;
  /** Open requests of all clients; at the bound new ones fail with `BUSY`. @defaultValue 1 000 000 */
  readonly maxRequests?: number;
  /** Open requests of one client; at the bound its new ones fail with `BUSY`. @defaultValue 250 000 */
  readonly maxRequestsPerClient?: number;
  /**
   * Requests for one service name, as clients ask for it, that wait for a worker; at the bound new ones fail with `BUSY`.
   * @defaultValue 250 000
   */
  readonly maxQueuedPerService?: number;
  /** Payload bytes of all open requests; at the bound new ones fail with `BUSY`. @defaultValue 1 GiB */
  readonly maxRequestBytes?: number;
  /** Registered workers; at the bound a new one is disconnected. @defaultValue 100 000 */
  readonly maxWorkers?: number;
  /** Clients known at once; at the bound a new one's requests fail with `BUSY`. @defaultValue 100 000 */
  readonly maxClients?: number;
  /**
   * Answers to stored requests held for clients that are away; at the bound the one goes that is complete for longest.
   * @defaultValue 100 000
   */
  readonly maxHeldAnswers?: number;
  /** Of those, for one client; at the bound its further ones are given up. @defaultValue 10 000 */
  readonly maxHeldAnswersPerClient?: number;
  /** Bytes of all held answers; at the bound those go that are complete for longest. @defaultValue 256 MiB */
  readonly maxHeldBytes?: number;
  /**
   * Bytes of the answers held for one client; what does not fit ends with `BUSY`, or is given up. @defaultValue 16 MiB
   */
  readonly maxHeldBytesPerClient?: number;
  /** Replies kept for equal requests; at the bound the least recently used one goes; 0 keeps none. @defaultValue 10 000 */
  readonly cacheMaxEntries?: number;
  /** Bytes of all kept replies with their requests; at the bound the least recently used go. @defaultValue 64 MiB */
  readonly cacheMaxBytes?: number;
  /** Bytes of one reply to keep, with its request and all its parts; a larger one is not kept. @defaultValue 1 MiB */
  readonly cacheMaxReplyBytes?: number;
  /** Bytes of one frame; a peer that sends more is cut off. @defaultValue 64 MiB */
  readonly maxFrameBytes?: number;
  /** Bytes waiting for one peer; at the bound its requests end with `BUSY`. @defaultValue 64 MiB */
  readonly maxPeerBytes?: number;
  /** Messages waiting for one peer; at the bound its requests end with `BUSY`. @defaultValue 100 000 */
  readonly maxPeerMessages?: number;
  /**
   * Its own keys of CURVE: who comes in is sure to talk to this broker, in secret, and proves to have the key that it shows.
   * Who may come in is for `authenticate` to say; without it, whoever knows the public key of the broker.
   * @defaultValue none: nothing is secret
   */
  readonly curve?: CurveServerOptions;
  /** Whether clients and workers show a name and a password, in clear, for `authenticate` to judge. @defaultValue false */
  readonly plain?: boolean;
  /**
   * Whether a peer may come in; asked for every connection to every address and to the internal channel. What is not
   * `true` keeps it out: `false`, and also a failure, no answer in time, or more than 1000 peers at an entrance to be asked
   * about at once. With neither `curve` nor `plain` there is only where it comes from.
   * @defaultValue nobody is asked
   */
  readonly authenticate?: Authenticate;
  /** Milliseconds that `authenticate` may take, 1 to 9000; then the peer is kept out. @defaultValue 5000 */
  readonly authenticateTimeoutMs?: number;
  /**
   * What `authenticate` is told as `domain`, to know this broker from others: 1 to 200 printable characters. No two that
   * run in one process have the same. @defaultValue `pigato-` and a random id
   */
  readonly zapDomain?: string;
  /** Called after each start, with the event `start`. */
  readonly onStart?: () => void;
  /** Called after each stop, with the event `stop`. */
  readonly onStop?: () => void;
  /**
   * Keeps the requests of clients that say `persist` until they have ended; those that it holds when the broker starts
   * are run. @defaultValue a `MemoryStore` of its own
   */
  readonly store?: RequestStore;
  /** Where the broker logs to. @defaultValue silent */
  readonly logger?: Logger;
  /**
   * What moves its frames: `"zmtp"`, `"libzmq"` or a transport of your own.
   * @defaultValue `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://`, and for all with `curve`, `plain` or `authenticate`
   */
  readonly transport?: TransportChoice;
  /** What tells it the time and wakes it. @defaultValue the process's monotonic clock */
  readonly clock?: Clock;
  /** A number from 0 up to 1, for the mode `rand` and against ids chosen to collide. @defaultValue Math.random */
  readonly random?: () => number;
}

type SecurityOption = "curve" | "plain" | "authenticate" | "zapDomain";

export interface ResolvedOptions extends Omit<Required<BrokerOptions>, "intch" | "transport" | SecurityOption> {
  /** As asked for; after a start, the address as bound. */
  intch: string | false;
  readonly transport: Transport;
  /** What `curve`, `plain`, `authenticate` and `zapDomain` come to. It shows no key. */
  readonly securityOf: SecurityOf;
}

const WHEN_DECLINED: readonly WhenDeclined[] = ["fail", "wait"];

export const DISPATCH_MODES: readonly DispatchMode[] = ["load", "lru", "rand"];

/** An option that is a whole number. */
export interface NumericOption {
  readonly name: NumericName;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** One line for the command's help. */
  readonly help: string;
}

type NumericName =
  | "heartbeat"
  | "heartbeatLiveness"
  | "authenticateTimeoutMs"
  | "settleMs"
  | "stopTimeoutMs"
  | "busyTimeoutMs"
  | "spinMs"
  | "maxRequests"
  | "maxRequestsPerClient"
  | "maxQueuedPerService"
  | "maxRequestBytes"
  | "maxWorkers"
  | "maxClients"
  | "maxHeldAnswers"
  | "maxHeldAnswersPerClient"
  | "maxHeldBytes"
  | "maxHeldBytesPerClient"
  | "cacheMaxEntries"
  | "cacheMaxBytes"
  | "cacheMaxReplyBytes"
  | "maxFrameBytes"
  | "maxPeerBytes"
  | "maxPeerMessages";

const LARGEST = Number.MAX_SAFE_INTEGER;

export const NUMERIC_OPTIONS: readonly NumericOption[] = [
  { name: "heartbeat", default: DEFAULT_HEARTBEAT_MS, min: 10, max: MAX_HEARTBEAT_MS, help: "ms between heartbeats" },
  {
    name: "heartbeatLiveness",
    default: DEFAULT_LIVENESS,
    min: MIN_LIVENESS,
    max: 100,
    help: "silent intervals until a peer is gone",
  },
  {
    name: "settleMs",
    default: 100,
    min: 0,
    max: 60_000,
    help: "ms for a worker to tell its concurrency, or for a client that is back to ask again",
  },
  {
    name: "stopTimeoutMs",
    default: 5_000,
    min: 0,
    max: 3_600_000,
    help: "ms to let running requests finish when stopping",
  },
  {
    name: "authenticateTimeoutMs",
    default: 5_000,
    min: 1,
    // Below what libzmq gives a handshake, which would end without a word.
    max: 9_000,
    help: "ms to find out whether a peer may come in",
  },
  {
    name: "busyTimeoutMs",
    default: 900_000,
    min: 1_000,
    max: 86_400_000,
    help: "ms that a Majordomo or butler worker may take for one request",
  },
  { name: "spinMs", default: 0, min: 0, max: 1_000, help: "ms to look for the next message instead of sleeping" },
  { name: "maxRequests", default: 1_000_000, min: 1, max: LARGEST, help: "open requests of all clients" },
  { name: "maxRequestsPerClient", default: 250_000, min: 1, max: LARGEST, help: "open requests of one client" },
  {
    name: "maxQueuedPerService",
    default: 250_000,
    min: 0,
    max: LARGEST,
    help: "waiting requests for one service name",
  },
  { name: "maxRequestBytes", default: 2 ** 30, min: 1, max: LARGEST, help: "payload bytes of all open requests" },
  { name: "maxWorkers", default: 100_000, min: 1, max: LARGEST, help: "registered workers" },
  { name: "maxClients", default: 100_000, min: 1, max: LARGEST, help: "clients known at once" },
  { name: "maxHeldAnswers", default: 100_000, min: 0, max: LARGEST, help: "answers held for clients that are away" },
  { name: "maxHeldAnswersPerClient", default: 10_000, min: 0, max: LARGEST, help: "answers held for one client" },
  { name: "maxHeldBytes", default: 256 * 2 ** 20, min: 0, max: LARGEST, help: "bytes of all held answers" },
  { name: "maxHeldBytesPerClient", default: 16 * 2 ** 20, min: 0, max: LARGEST, help: "bytes held for one client" },
  // The table of entries is made at its full size.
  { name: "cacheMaxEntries", default: 10_000, min: 0, max: 10_000_000, help: "kept replies, 0 for none" },
  { name: "cacheMaxBytes", default: 64 * 2 ** 20, min: 1024, max: LARGEST, help: "bytes of all kept replies" },
  { name: "cacheMaxReplyBytes", default: 2 ** 20, min: 1024, max: LARGEST, help: "bytes of one reply to keep" },
  {
    name: "maxFrameBytes",
    default: DEFAULT_LINK_LIMITS.maxFrameBytes,
    min: 1024,
    max: LARGEST,
    help: "bytes of one frame",
  },
  {
    name: "maxPeerBytes",
    default: DEFAULT_LINK_LIMITS.maxQueuedBytes,
    min: 1024,
    max: LARGEST,
    help: "bytes waiting for one peer",
  },
  {
    name: "maxPeerMessages",
    default: DEFAULT_LINK_LIMITS.maxQueuedMessages,
    min: 1,
    max: LARGEST,
    help: "messages waiting for one peer",
  },
];

const DEFAULTS: Omit<ResolvedOptions, NumericName | "intch" | "store" | "securityOf"> = Object.freeze({
  dmode: "load",
  whenDeclined: "fail",
  onStart: () => {},
  onStop: () => {},
  logger: pino({ level: "silent" }),
  transport: automatic,
  clock: systemClock,
  random: Math.random,
});

const KNOWN: ReadonlySet<string> = new Set([
  ...NUMERIC_OPTIONS.map(({ name }) => name),
  ...Object.keys(DEFAULTS),
  "intch",
  "store",
  "curve",
  "plain",
  "authenticate",
  "zapDomain",
]);

/** Whether a broker has an option of this name. */
export function isBrokerOption(name: string): name is keyof BrokerOptions {
  return KNOWN.has(name);
}

/** @throws UsageError that names an unknown option or a bad value */
export function resolveOptions(input: BrokerOptions): ResolvedOptions {
  for (const name of Object.keys(input)) {
    if (!isBrokerOption(name)) throw new UsageError(`the broker has no option "${name}"`);
  }
  const dmode = input.dmode ?? DEFAULTS.dmode;
  if (!DISPATCH_MODES.includes(dmode)) {
    throw new UsageError(`dmode is one of ${DISPATCH_MODES.join(", ")}, not ${String(dmode)}`);
  }
  const whenDeclined = input.whenDeclined ?? DEFAULTS.whenDeclined;
  if (!WHEN_DECLINED.includes(whenDeclined)) {
    throw new UsageError(`whenDeclined is one of ${WHEN_DECLINED.join(", ")}, not ${String(whenDeclined)}`);
  }
  const transport = chosenTransport(input.transport);
  if (transport === undefined) {
    throw new UsageError(`transport is "zmtp", "libzmq" or a transport, not ${String(input.transport)}`);
  }
  const { curve, plain, authenticate, zapDomain, ...others } = withoutUndefined(input);
  const numbers = resolveNumbers(input);
  const securityOf = resolveSecurity(input, numbers.authenticateTimeoutMs);
  if (securityOf("bind") !== undefined && transport.isSecurable !== true) {
    throw new UsageError('curve, plain and authenticate need the transport "libzmq", which is chosen if none is given');
  }
  return {
    ...DEFAULTS,
    ...others,
    dmode,
    whenDeclined,
    intch: resolveChannel(input.intch),
    store: resolveStore(input.store),
    transport,
    securityOf,
    ...numbers,
  };
}

function resolveStore(store: RequestStore = new MemoryStore()): RequestStore {
  const methods = ["set", "delete", "all"];
  const isObject = typeof store === "object" && store !== null;
  if (isObject && methods.every((method) => typeof Reflect.get(store, method) === "function")) return store;
  throw new UsageError(`store is something with ${methods.join("(), ")}()`);
}

function resolveChannel(intch: unknown): string | false {
  if (intch === undefined || intch === null) return newChannelAddress();
  if (intch === false || (typeof intch === "string" && intch !== "")) return intch;
  throw new UsageError(`intch is an address or false, not ${JSON.stringify(intch)}`);
}

function resolveNumbers(input: BrokerOptions): Record<NumericName, number> {
  const numbers: Record<NumericName, number> = {
    heartbeat: 0,
    heartbeatLiveness: 0,
    authenticateTimeoutMs: 0,
    settleMs: 0,
    stopTimeoutMs: 0,
    busyTimeoutMs: 0,
    spinMs: 0,
    maxRequests: 0,
    maxRequestsPerClient: 0,
    maxQueuedPerService: 0,
    maxRequestBytes: 0,
    maxWorkers: 0,
    maxClients: 0,
    maxHeldAnswers: 0,
    maxHeldAnswersPerClient: 0,
    maxHeldBytes: 0,
    maxHeldBytesPerClient: 0,
    cacheMaxEntries: 0,
    cacheMaxBytes: 0,
    cacheMaxReplyBytes: 0,
    maxFrameBytes: 0,
    maxPeerBytes: 0,
    maxPeerMessages: 0,
  };
  for (const option of NUMERIC_OPTIONS) {
    const value = input[option.name] ?? option.default;
    if (!Number.isInteger(value) || value < option.min || value > option.max) {
      throw new UsageError(
        `${option.name} is a whole number from ${option.min} to ${option.max}, not ${String(value)}`,
      );
    }
    numbers[option.name] = value;
  }
  return numbers;
}

function withoutUndefined<Given extends object>(input: Given): Given {
  const given = { ...input };
  for (const key of Object.keys(given)) {
    if (Reflect.get(given, key) === undefined) Reflect.deleteProperty(given, key);
  }
  return given;
}

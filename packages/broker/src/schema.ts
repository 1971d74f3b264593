// The declaration of every option of a broker, except the bounds of requests and replies (request-bounds.ts). From both come the type `BrokerOptions`, the validation, the flags and
// environment variables of the command, and the table in docs/reference/options.md. A new option is one new field.

import {
  boolean,
  callable,
  choice,
  custom,
  integer,
  isAddress,
  type Logger,
  newSilentLogger,
  type Option,
  objectWith,
  type StrictOption,
  strict,
  text,
} from "@pigato/peer";
import { DEFAULT_HEARTBEAT_MS, DEFAULT_LIVENESS, MAX_HEARTBEAT_MS, MIN_LIVENESS } from "@pigato/protocol/internal";
import {
  automatic,
  type Clock,
  type CurveServerOptions,
  DEFAULT_LINK_LIMITS,
  resolveTransport,
  systemClock,
  type Transport,
  type TransportChoice,
} from "@pigato/transport";
import { newChannelAddress } from "./channel-address.ts";
import type { DispatchMode, WhenDeclined } from "./core/core-options.ts";
import { bound, KIB } from "./request-bounds.ts";
import type { Authenticate } from "./security.ts";
import { MemoryStore, type RequestStore } from "./store.ts";

const MAX_DOMAIN_CHARACTERS = 200;
const DOMAIN = new RegExp(`^[!-~]{1,${MAX_DOMAIN_CHARACTERS}}$`);

export class BrokerSchema {
  /** Milliseconds between heartbeats. @defaultValue 2500 */
  readonly heartbeat: Option<number> = integer({
    unit: "ms",
    min: 10,
    max: MAX_HEARTBEAT_MS,
    default: DEFAULT_HEARTBEAT_MS,
    help: "time between heartbeats",
  });

  /** Silent heartbeat intervals after which the broker removes a peer. @defaultValue 3 */
  readonly heartbeatLiveness: Option<number> = integer({
    min: MIN_LIVENESS,
    max: 100,
    default: DEFAULT_LIVENESS,
    help: "silent heartbeat intervals after which a peer is removed",
  });

  /**
   * How the broker selects a worker. `load`: the one with the fewest requests in flight; among equals, the one that has
   * waited longest. `lru`: the one that has waited longest. `rand`: the less loaded of two random ones.
   * @defaultValue "load"
   */
  readonly dmode: Option<DispatchMode> = choice({
    choices: ["load", "lru", "rand"],
    default: "load",
    help: "how to select a worker: least loaded, longest waiting, or the better of two random ones",
  });

  /**
   * What happens to a request that every worker of its service has rejected. `fail`: it ends with `REJECTED`. `wait`: it
   * waits, within its timeout, for another worker.
   * @defaultValue "fail"
   */
  readonly whenDeclined: Option<WhenDeclined> = choice({
    choices: ["fail", "wait"],
    default: "fail",
    help: "what to do with a request that every worker has rejected",
  });

  /**
   * Milliseconds for which a worker that did not announce its concurrency gets no request, while the broker waits for its
   * first heartbeat. Also the time that a client has, after it reconnects, to repeat a request before it gets the replies
   * held for it. @defaultValue 100
   */
  readonly settleMs: Option<number> = integer({
    unit: "ms",
    min: 0,
    max: 60_000,
    default: 100,
    help: "time to wait for a new worker's concurrency, or for a reconnected client's requests",
  });

  /** Milliseconds that `stop()` waits for open requests. The rest fail with `CLOSED`. @defaultValue 5000 */
  readonly stopTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 0,
    max: 3_600_000,
    default: 5_000,
    help: "time to let open requests finish when stopping",
  });

  /**
   * The address of the internal channel, on which core services such as the directory receive changes; `false` disables it.
   * @defaultValue an ipc address of its own; where temporary files cannot be created, a port of 127.0.0.1
   */
  readonly intch: Option<string | false> = custom({
    expected: "an address or false",
    read: (value) => (value === false || isAddress(value) ? value : undefined),
    makeDefault: () => newChannelAddress(),
    fromText: (value) => (value === "none" ? false : value),
    help: "address of the internal channel, or none (default: an address of its own)",
  });

  /**
   * Milliseconds that a worker which sends no heartbeats while it works (Majordomo, butler) may work on one request. Then
   * the broker removes it. @defaultValue 900 000
   */
  readonly busyTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 1_000,
    max: 86_400_000,
    default: 900_000,
    help: "time that a Majordomo or butler worker may take for one request",
  });

  /**
   * Milliseconds after a message for which the broker polls for the next one instead of sleeping. A lone request gets its
   * reply sooner; one core is busy meanwhile. Has no effect over libzmq. @defaultValue 0
   */
  readonly spinMs: Option<number> = integer({
    unit: "ms",
    min: 0,
    max: 1_000,
    default: 0,
    help: "time to poll for the next message instead of sleeping",
  });

  /**
   * Services that workers offer, each counted once for every worker that offers it. At the bound, the broker disconnects a new worker,
   * and refuses a further service of a registered one. @defaultValue 100 000
   */
  readonly maxWorkers: Option<number> = bound({
    min: 1,
    default: 100_000,
    help: "services that workers offer, summed over all workers",
  });

  /** Known clients. At the bound, the requests of a new one fail with `BUSY`. @defaultValue 100 000 */
  readonly maxClients: Option<number> = bound({ min: 1, default: 100_000, help: "known clients" });

  /**
   * Connections to one listener, including those whose handshake is not complete; fewer if the process may open too few files. At the
   * bound, the broker evicts the oldest one that never sent a message and is at least 3 seconds old. If there is none, it rejects the
   * new one. Has no effect over libzmq. @defaultValue 200 000
   */
  readonly maxConnections: Option<number> = bound({ min: 1, default: 200_000, help: "connections to one listener" });

  /**
   * Connections to one listener from one IP address, or from one IPv6 network of 64 bits, as `maxConnections`. All peers behind one
   * proxy or NAT share an address; over ipc, peers have none. 0: all but an eighth of the connections. Has no effect over libzmq.
   * @defaultValue 0
   */
  readonly maxConnectionsPerAddress: Option<number> = bound({
    min: 0,
    default: DEFAULT_LINK_LIMITS.maxConnectionsPerAddress,
    help: "connections from one address; 0: all but an eighth of the connections",
  });

  /**
   * Milliseconds for which a connection may stay open without ever having sent a message; 0: no limit. Clients of Majordomo
   * and butler are silent until their first request. They reconnect by themselves, but a request that they send while the broker
   * disconnects them is lost. Has no effect over libzmq. @defaultValue 0
   */
  readonly idleConnectionMs: Option<number> = integer({
    unit: "ms",
    min: 0,
    max: 86_400_000,
    default: DEFAULT_LINK_LIMITS.idleConnectionMs,
    help: "time that a connection may stay without sending a message; 0: no limit",
  });

  /**
   * Bytes of one frame that the broker accepts. It announces the number to its peers, and refuses a request or ends a reply with a
   * larger frame. Over libzmq it disconnects the peer instead. @defaultValue 64 MiB
   */
  readonly maxFrameBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: DEFAULT_LINK_LIMITS.maxFrameBytes,
    help: "size of one frame",
  });

  /** Bytes of one message that the broker accepts, as `maxFrameBytes` of one frame. libzmq ignores it. @defaultValue 256 MiB */
  readonly maxMessageBytes: Option<number> = bound({
    unit: "bytes",
    min: 4 * KIB,
    default: DEFAULT_LINK_LIMITS.maxMessageBytes,
    help: "size of one message",
  });

  /**
   * Bytes of messages that have begun to arrive and are not whole, of all peers of one listener. At the bound, the broker disconnects
   * the peer whose message took the most, by bytes and time. Has no effect over libzmq. @defaultValue 256 MiB
   */
  readonly maxReceivingBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: DEFAULT_LINK_LIMITS.maxReceivingBytes,
    help: "unfinished messages of all peers",
  });

  /**
   * Milliseconds in which a message that has begun to arrive must end, or grow by `minProgressBytes`. If not, the broker disconnects its
   * sender. Together they are the minimum rate of a transfer. Has no effect over libzmq. @defaultValue 30 000
   */
  readonly stallTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 100,
    max: 3_600_000,
    default: DEFAULT_LINK_LIMITS.stallTimeoutMs,
    help: "time in which an unfinished message must grow",
  });

  /**
   * Milliseconds in which a peer for which messages wait must take all of them, or `minProgressBytes`. If not, the broker disconnects it.
   * The kernel reports progress in steps of up to a megabyte, so a short time disconnects slow readers. Over libzmq, the broker drops what
   * waits and forgets the peer. @defaultValue 60 000
   */
  readonly sendStallTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 100,
    max: 3_600_000,
    default: DEFAULT_LINK_LIMITS.sendStallTimeoutMs,
    help: "time in which a peer must take some of what waits for it",
  });

  /**
   * Bytes by which an unfinished message must grow in `stallTimeoutMs`, and which a peer must take in `sendStallTimeoutMs`.
   * @defaultValue 16 384
   */
  readonly minProgressBytes: Option<number> = bound({
    unit: "bytes",
    min: 1,
    default: DEFAULT_LINK_LIMITS.minProgressBytes,
    help: "bytes that must arrive, or be taken, in those times",
  });

  /**
   * Bytes waiting to be sent to all peers of one listener, or being written to them. At the bound, the broker disconnects the peer for
   * which most waits. Over libzmq, it drops what waits and forgets the peer. @defaultValue 512 MiB
   */
  readonly maxSendingBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: DEFAULT_LINK_LIMITS.maxSendingBytes,
    help: "data waiting for all peers",
  });

  /** Bytes waiting to be sent to one peer. At the bound, its requests end with `BUSY`. @defaultValue 64 MiB */
  readonly maxPeerBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: DEFAULT_LINK_LIMITS.maxQueuedBytes,
    help: "data waiting for one peer",
  });

  /** Messages waiting to be sent to one peer. At the bound, its requests end with `BUSY`. @defaultValue 100 000 */
  readonly maxPeerMessages: Option<number> = bound({
    min: 1,
    default: DEFAULT_LINK_LIMITS.maxQueuedMessages,
    help: "messages waiting for one peer",
  });

  /**
   * The broker's CURVE keys: `secretKey`, from which `publicKey` follows. Peers authenticate the broker, traffic is encrypted, and
   * each peer proves that it owns its key. `authenticate` decides which keys are authorized; without it, every peer that knows the broker's public key is.
   * @defaultValue none: traffic is not encrypted
   */
  readonly curve: StrictOption<CurveServerOptions, CurveServerOptions | undefined> = strict(
    custom<CurveServerOptions, CurveServerOptions | undefined>({
      expected: "an object with secretKey",
      read: (value) => (isObject(value) ? value : undefined),
      default: undefined,
    }),
  );

  /** Require a username and a password from every peer, sent in clear, for `authenticate` to check. @defaultValue false */
  readonly plain: StrictOption<boolean> = strict(boolean({ default: false }));

  /**
   * Decides whether a peer may connect. Called for every connection to every address and to the internal channel. Any result
   * but `true` denies the peer: `false`, an exception, no result in time, or more than 1000 pending calls of one listener (a call counts until a minute after its timeout).
   * With neither `curve` nor `plain`, only the peer's address is known.
   * @defaultValue none: every peer may connect
   */
  readonly authenticate: StrictOption<Authenticate, Authenticate | undefined> = strict(
    custom<Authenticate, Authenticate | undefined>({
      expected: "a function that takes a peer and returns true or false",
      read: (value) => (isAuthenticate(value) ? value : undefined),
      default: undefined,
    }),
  );

  /** Milliseconds that `authenticate` may take. Then the peer is denied. @defaultValue 5000 */
  readonly authenticateTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 1,
    // Below libzmq's handshake timeout, which ends a connection without a report.
    max: 9_000,
    default: 5_000,
    help: "time to decide whether a peer may connect",
  });

  /**
   * The `domain` that `authenticate` gets, to identify this broker: 1 to 200 printable characters, unique among the
   * running brokers of a process. @defaultValue `pigato-` and a random id
   */
  readonly zapDomain: Option<string> = text({
    expected: `1 to ${MAX_DOMAIN_CHARACTERS} printable characters without a space`,
    isValid: (value) => DOMAIN.test(value),
    makeDefault: () => `pigato-${crypto.randomUUID()}`,
  });

  /** Called after each start, with the event `start`. */
  readonly onStart: Option<() => void> = callable<() => void>({ default: () => {} });

  /** Called after each stop, with the event `stop`. */
  readonly onStop: Option<() => void> = callable<() => void>({ default: () => {} });

  /**
   * Stores the requests of clients that set `persist` until they have ended. The broker runs what it finds there when it
   * starts. @defaultValue a `MemoryStore` of its own
   */
  readonly store: Option<RequestStore> = objectWith<RequestStore>({
    methods: ["set", "delete", "all"],
    makeDefault: () => new MemoryStore(),
  });

  /** Where the broker logs: `console`, a pino logger or any other with these methods. @defaultValue silent */
  readonly logger: Option<Logger> = objectWith<Logger>({
    methods: ["debug", "info", "warn", "error"],
    makeDefault: newSilentLogger,
  });

  /**
   * How frames move: `"zmtp"`, `"libzmq"` or a transport of your own. `libzmq` needs the package `zeromq`.
   * @defaultValue `zmtp` for `tcp://` and `ipc://`, `libzmq` for `inproc://`, and for all with `curve`, `plain` or `authenticate`
   */
  readonly transport: Option<TransportChoice, Transport> = custom<TransportChoice, Transport>({
    expected: '"zmtp", "libzmq" or a transport',
    read: (value) => resolveTransport(value),
    default: automatic,
  });

  /** Time and alarms. @defaultValue the process's monotonic clock */
  readonly clock: Option<Clock> = objectWith<Clock>({ methods: ["now", "alarm"], default: systemClock });

  /** Returns a number from 0 up to 1, for the mode `rand` and against ids chosen to collide. @defaultValue Math.random */
  readonly random: Option<() => number> = callable<() => number>({ default: Math.random });
}

/** The transport checks the keys. */
function isObject(value: unknown): value is CurveServerOptions {
  return typeof value === "object" && value !== null;
}

function isAuthenticate(value: unknown): value is Authenticate {
  return typeof value === "function";
}

// The interface of a transport: a Router that many peers connect to, and a Dealer that connects to one Router. Both move messages
// of frames and do not read their content. Besides, a Publisher that sends its latest state to any number of Subscribers.
// Implementations differ in speed and in how much they report. Callers must work with each of them.
//
// The contract of every router and dealer:
// - Messages of one peer arrive whole and in the order sent. Handlers are called one at a time, never within a call to the link.
// - No message is lost silently. If `send` returns "queued" or "slow", the message is written or its loss is reported: by
//   `onUndelivered` (it never left) or by `onPeerDown` / `onDown` (messages in transit may be lost).
// - A message larger than the bound is accepted if no other message waits. A message without frames is a TypeError.
// - After `close`, `send` returns "unreachable" (router) or "congested" (dealer), and nothing more is delivered.
// - A routing id belongs to the connection that claimed it first. A second claim is rejected; it never takes the id over.
// - Neither side changes a frame after it was passed to `send` or to a handler.
// - A frame that a handler gets may be a view of a larger buffer, whose size shows what it keeps alive.

import type { FramesToSend } from "./byte-strings.ts";
import type { Mechanism } from "./security/auth-request.ts";
import type { PeerSecurity, ServerSecurity } from "./security/link-security.ts";

/** One message: all frames that travel together. */
export type Frames = readonly Uint8Array[];

/**
 * The result of `send`.
 * - `queued`: the message will be written
 * - `slow`: it will be written, but much waits for this peer already; stop sending until `onDrain`
 * - `congested`: not accepted, because the bound for this peer is reached
 * - `unreachable`: not accepted, because no such peer is connected
 */
export type SendOutcome = "queued" | "slow" | "congested" | "unreachable";

/** Bounds of a link. libzmq does not apply those marked so, because it reports only whole messages. */
export interface LinkLimits {
  /** The most bytes of one frame. See `onOversized` for larger ones. @defaultValue 64 MiB */
  readonly maxFrameBytes: number;
  /** The most bytes of one message (not of libzmq). See `onOversized` for larger ones. @defaultValue 256 MiB */
  readonly maxMessageBytes: number;
  /** The most frames of one message. A peer that sends more is disconnected (not by libzmq). @defaultValue 131 072 */
  readonly maxFrames: number;
  /**
   * The most connections to one router or publisher (not to libzmq), and fewer if the process may open too few files. At the bound,
   * the oldest one that never sent a message makes room. If there is none, the new one is closed before anything is read.
   * @defaultValue 16 384
   */
  readonly maxConnections: number;
  /**
   * The most connections from one IP address, or from one IPv6 network of 64 bits, as `maxConnections` (not to libzmq). 0: all but
   * an eighth of the connections. @defaultValue 0
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * Milliseconds for which a connection may stay without ever having sent a message (not to libzmq). 0: no limit.
   * @defaultValue 0
   */
  readonly idleConnectionMs: number;
  /**
   * Milliseconds for the handshake, from the start of connecting. Then the connection is closed (by libzmq only if a router has
   * `security`). @defaultValue 10 000
   */
  readonly handshakeTimeoutMs: number;
  /**
   * The most bytes of unfinished messages, of all peers of one link. At the bound the peer is disconnected whose message took the most,
   * by bytes and time (not by libzmq). @defaultValue 256 MiB
   */
  readonly maxReceivingBytes: number;
  /**
   * Milliseconds in which an unfinished message must end, or grow by `minProgressBytes`. If not, its peer is disconnected (not by
   * libzmq). @defaultValue 30 000
   */
  readonly stallTimeoutMs: number;
  /** See `stallTimeoutMs` and `sendStallTimeoutMs`. @defaultValue 16 KiB */
  readonly minProgressBytes: number;
  /**
   * Milliseconds in which a peer for which messages wait must take all of them, or `minProgressBytes`. If not, it is disconnected. Over
   * libzmq it must take a message, and is reported as down but stays connected. Not applied by a dealer over libzmq.
   * @defaultValue 60 000
   */
  readonly sendStallTimeoutMs: number;
  /**
   * The most bytes waiting for all peers of one router, with writes in progress. At the bound the peer for which most waits is
   * disconnected. Over libzmq it loses its messages, and is reported as down. @defaultValue 512 MiB
   */
  readonly maxSendingBytes: number;
  /** Bytes waiting for one peer above which `send` returns `slow`. @defaultValue 1 MiB */
  readonly slowBytes: number;
  /** Bytes waiting for one peer above which `send` returns `congested`. @defaultValue 64 MiB */
  readonly maxQueuedBytes: number;
  /** Messages waiting for one peer above which `send` returns `congested`. @defaultValue 100 000 */
  readonly maxQueuedMessages: number;
}

export const DEFAULT_LINK_LIMITS: LinkLimits = Object.freeze({
  maxFrameBytes: 64 * 1024 * 1024,
  maxMessageBytes: 256 * 1024 * 1024,
  maxFrames: 131_072,
  maxConnections: 16_384,
  maxConnectionsPerAddress: 0,
  idleConnectionMs: 0,
  handshakeTimeoutMs: 10_000,
  maxReceivingBytes: 256 * 1024 * 1024,
  stallTimeoutMs: 30_000,
  minProgressBytes: 16 * 1024,
  sendStallTimeoutMs: 60_000,
  maxSendingBytes: 512 * 1024 * 1024,
  slowBytes: 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxQueuedMessages: 100_000,
});

/** What an implementation knows of a peer's connection. Unknown fields are missing. */
export interface PeerFacts {
  readonly remoteAddress?: string;
  /** The identity of the peer, if a router authenticated it: the user name of PLAIN, the public key of CURVE. At most 255 bytes of ASCII. */
  readonly identity?: string;
  /** What a router announced (`RouterOptions`). */
  readonly announcement?: string;
}

/**
 * Why a connection was rejected or closed.
 * - `PROTOCOL`: the peer sent bytes that are not ZMTP 3, or not allowed at that point
 * - `INCOMPATIBLE`: the peer has another mechanism, an older version, or a socket type that ours does not talk to
 * - `FRAME_TOO_LARGE`, `MESSAGE_TOO_LARGE`, `TOO_MANY_FRAMES`: a bound of `LinkLimits` was exceeded
 * - `TOO_MANY_CONNECTIONS`, `TOO_MANY_FROM_ADDRESS`: the bound of all connections, or of those from one address, is reached
 * - `OUT_OF_DESCRIPTORS`: the process, or the system, has no file descriptor to spare
 * - `ACCEPT_FAILED`: the system could not accept a connection
 * - `IDLE`: the peer never sent a message, and made room for another connection, or exceeded `idleConnectionMs`
 * - `TOO_MUCH_UNFINISHED`: the unfinished messages of all peers exceeded `maxReceivingBytes`, and this peer's took the most, by bytes and time
 * - `STALLED`: an unfinished message did not grow by `minProgressBytes` in `stallTimeoutMs`
 * - `TOO_MUCH_WAITING`: what waits for all peers exceeded `maxSendingBytes`, and most waited for this one
 * - `NOT_READING`: messages waited for the peer, and it took less than `minProgressBytes` in `sendStallTimeoutMs`
 * - `OUT_OF_MEMORY`: this end could not allocate memory for a frame
 * - `TOO_MANY_SUBSCRIPTIONS`: more subscriptions than a publisher accepts
 * - `ROUTING_ID`: the claimed routing id is invalid, or belongs to another connection
 * - `REFUSED`: the other end rejected this one
 * - `HANDSHAKE_TIMEOUT`, `SILENCE`: the handshake took too long, or the peer stopped answering
 * - `DENIED`, `UNDECIDED`: the peer was not authorized, or authentication failed to decide
 * - `HANDSHAKE_FAILED`: the handshake of the mechanism failed, for example with wrong keys
 */
export type RejectionCode =
  | "PROTOCOL"
  | "INCOMPATIBLE"
  | "FRAME_TOO_LARGE"
  | "MESSAGE_TOO_LARGE"
  | "TOO_MANY_FRAMES"
  | "TOO_MANY_CONNECTIONS"
  | "TOO_MANY_FROM_ADDRESS"
  | "OUT_OF_DESCRIPTORS"
  | "ACCEPT_FAILED"
  | "IDLE"
  | "TOO_MUCH_UNFINISHED"
  | "STALLED"
  | "TOO_MUCH_WAITING"
  | "NOT_READING"
  | "OUT_OF_MEMORY"
  | "TOO_MANY_SUBSCRIPTIONS"
  | "ROUTING_ID"
  | "REFUSED"
  | "HANDSHAKE_TIMEOUT"
  | "SILENCE"
  | "DENIED"
  | "UNDECIDED"
  | "HANDSHAKE_FAILED";

export interface ConnectionRejection {
  readonly code: RejectionCode;
  /** The reason as text. */
  readonly detail: string;
  /** The peer's address. libzmq reports an unauthorized peer without a port. */
  readonly remoteAddress?: string;
  /** The listener's address, if the peer's is unknown. */
  readonly localAddress?: string;
  /** The mechanism, if the reason has to do with it. */
  readonly mechanism?: Mechanism;
  /** The error of `authenticate`. */
  readonly cause?: unknown;
}

/** A message that exceeds `maxFrameBytes` or `maxMessageBytes`. */
export interface OversizedMessage {
  /** Its frames. Those of more than 255 bytes are empty. */
  readonly frames: Frames;
  /** What exceeds which bound. */
  readonly detail: string;
}

/** A peer's name is its routing id as a byte string: one character (U+0000 to U+00FF) for each byte. */
export interface RouterHandlers {
  onMessage(peer: string, frames: Frames): void;
  /**
   * A peer sent a message that is too large. It was read to its end and not kept, and the peer stays connected. Without this
   * handler, and if more than 1 GiB would have to be skipped, the peer is disconnected. libzmq always disconnects it.
   */
  onOversized?(peer: string, message: OversizedMessage): void;
  /** Bytes of a message came that is not whole yet, in a read that ended no message. Not called by libzmq. */
  onReceiving?(peer: string): void;
  /** A peer connected. Not called by libzmq. */
  onPeerUp?(peer: string, facts: PeerFacts): void;
  /** A peer's connection is lost. libzmq notices it only when it sends to the peer. */
  onPeerDown?(peer: string): void;
  /** An accepted message has not left and never will. Called for all waiting messages before `onPeerDown`. */
  onUndelivered?(peer: string, frames: Frames): void;
  /** A `slow` or `congested` peer has caught up. */
  onDrain?(peer: string): void;
  /** A connection was rejected or closed by this end. `peer` is its name, if it had one. libzmq does not report every case. */
  onRejected?(rejection: ConnectionRejection, peer: string | undefined): void;
  /** The socket itself failed; it is closed. */
  onError?(error: LinkError): void;
}

export interface SendOptions {
  /**
   * May use the reserve above the bound, an eighth of it, that is kept for disconnects and for error replies.
   */
  readonly urgent?: boolean;
}

export interface RouterLink {
  /**
   * Listens on an address: `tcp://host:port`, with `*` for every host or a free port, `ipc://path`, `inproc://name`.
   * @returns the address as bound, with the real port
   * @throws LinkError when it cannot be bound
   */
  bind(address: string): Promise<string>;
  /**
   * Stops listening on a bound address and frees it. Its peers stay connected if the implementation can keep them. Otherwise
   * their queued messages are written, and they are disconnected.
   */
  unbind(address: string): Promise<void>;
  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome;
  /**
   * Writes queued messages, for at most `lingerMs` (default 1000), then closes. Safe to call twice. Messages that are not
   * written by then are lost, possibly without a report.
   */
  close(lingerMs?: number): Promise<void>;
}

export interface DealerHandlers {
  onMessage(frames: Frames): void;
  /** Like a router's. */
  onOversized?(message: OversizedMessage): void;
  /** Like a router's. */
  onReceiving?(): void;
  /** The dealer is connected: messages leave from now on. */
  onUp?(facts: PeerFacts): void;
  /** The connection is lost, and possibly messages in transit. The link tries to reconnect until it is closed. */
  onDown?(): void;
  /**
   * An attempt to connect ended before the link was up: `UNREACHABLE`, or `REFUSED` after `onRejected`. The link tries again.
   * libzmq does not report why the other end is unreachable.
   */
  onAttemptFailed?(error: LinkError): void;
  /** An accepted message has not left and never will. */
  onUndelivered?(frames: Frames): void;
  /** The other end was `slow` or `congested` and has caught up. */
  onDrain?(): void;
  /** One end rejected the other. The link tries again. libzmq does not report every case. */
  onRejected?(rejection: ConnectionRejection): void;
  onError?(error: LinkError): void;
}

export interface DealerLink {
  /** Starts to connect. Both ends may start in any order. @throws LinkError for an invalid address */
  connect(address: string): void;
  /** Never returns `unreachable`: without a connection, messages wait within the bound. */
  send(frames: FramesToSend, options?: SendOptions): SendOutcome;
  /**
   * Writes queued messages, for at most `lingerMs` (default 1000), then closes. Safe to call twice. Messages that are not
   * written by then are lost, possibly without a report.
   */
  close(lingerMs?: number): Promise<void>;
}

export interface RouterOptions {
  readonly limits?: Partial<LinkLimits>;
  /**
   * Milliseconds to poll for the next message after each one, instead of sleeping. A single request has less latency, at the cost of
   * a core. libzmq ignores it. @defaultValue 0
   */
  readonly spinMs?: number;
  /** How peers are authenticated. @defaultValue every peer is accepted */
  readonly security?: ServerSecurity | undefined;
  /** A text of ASCII characters for dealers, which get it with `onUp`. Others ignore it, and libzmq does not send it. */
  readonly announcement?: string;
}

export interface DealerOptions {
  /** The routing id to claim, as a byte string of 1 to 255 bytes that does not start with U+0000. */
  readonly routingId: string;
  readonly limits?: Partial<LinkLimits>;
  /** Milliseconds before the first attempt to reconnect. @defaultValue 100 */
  readonly reconnectMs?: number;
  /** The longest pause between attempts, in milliseconds. @defaultValue 5000 */
  readonly reconnectMaxMs?: number;
  /** This end's credentials, and with CURVE the key of the other end. @defaultValue none */
  readonly security?: PeerSecurity | undefined;
}

export interface PublisherHandlers {
  /** A subscriber was rejected or disconnected. libzmq does not report every case. */
  onRejected?(rejection: ConnectionRejection): void;
  /** The socket itself failed; it is closed. */
  onError?(error: LinkError): void;
}

export interface PublisherOptions {
  /** How subscribers are authenticated. @defaultValue every subscriber is accepted */
  readonly security?: ServerSecurity | undefined;
}

/**
 * Publishes a changing state: each message replaces all earlier ones. A late subscriber gets the latest message at once. A slow
 * subscriber may miss messages, but never the last. So only a few messages wait for a subscriber, however slowly it reads.
 *
 * A subscriber may have 256 prefixes of at most 1024 bytes. One with more is disconnected (not by libzmq). The number of
 * subscribers is bounded like the peers of a router by default (not by libzmq).
 */
export interface PublisherLink {
  /** Like a router's. @throws LinkError (rejects) when it cannot be bound */
  bind(address: string): Promise<string>;
  /** Sends to every subscriber to a prefix of the first frame. Some may get it more than once. */
  publish(frames: Frames): void;
  /** Closes and frees its addresses. Messages in transit may be lost. Safe to call twice. */
  close(): Promise<void>;
}

export interface SubscriberHandlers {
  onMessage(frames: Frames): void;
  /** The subscriber is connected and subscribes. */
  onUp?(facts: PeerFacts): void;
  /** The connection is lost. The link tries to reconnect until it is closed. */
  onDown?(): void;
  /** Like a dealer's. */
  onAttemptFailed?(error: LinkError): void;
  /** One end rejected the other. The link tries again. libzmq does not report every case. */
  onRejected?(rejection: ConnectionRejection): void;
  onError?(error: LinkError): void;
}

export interface SubscriberOptions {
  /** The most bytes of one frame. If a publisher sends more, the subscriber reconnects. @defaultValue 64 MiB */
  readonly maxFrameBytes?: number;
  /** Milliseconds before the first attempt to reconnect. @defaultValue 100 */
  readonly reconnectMs?: number;
  /** The longest pause between attempts, in milliseconds. @defaultValue 5000 */
  readonly reconnectMaxMs?: number;
  /** Like a dealer's. */
  readonly security?: PeerSecurity | undefined;
}

export interface SubscriberLink {
  /**
   * Subscribes to messages whose first frame starts with the prefix, a byte string. An empty prefix matches every message.
   * @throws RangeError unless it is a byte string of at most 1024 bytes, and at most the 256th
   */
  subscribe(prefix: string): void;
  /** Starts to connect. Both ends may start in any order. @throws LinkError for an invalid address */
  connect(address: string): void;
  close(): Promise<void>;
}

/** An implementation of all links. */
export interface Transport {
  /**
   * Whether it implements `security`: with every mechanism, or with all but CURVE. Callers must not pass other `security` to it.
   */
  readonly isSecurable?: boolean | "without-curve";
  router(handlers: RouterHandlers, options?: RouterOptions): RouterLink;
  dealer(handlers: DealerHandlers, options: DealerOptions): DealerLink;
  publisher(handlers?: PublisherHandlers, options?: PublisherOptions): PublisherLink;
  subscriber(handlers: SubscriberHandlers, options?: SubscriberOptions): SubscriberLink;
}

export type LinkErrorCode =
  | "ADDRESS_IN_USE"
  | "ADDRESS_INVALID"
  | "CLOSED"
  | "MISSING_PACKAGE"
  | "REFUSED"
  | "UNREACHABLE"
  | "FAILED";

/** A link or its socket failed. */
export class LinkError extends Error {
  override readonly name = "LinkError";
  readonly code: LinkErrorCode;
  readonly address: string | undefined;

  constructor(code: LinkErrorCode, message: string, options?: { readonly address?: string; readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.address = options?.address;
  }
}

/** Whether an error is a `LinkError`, also one of another copy of this package. */
export function isLinkError(error: unknown): error is LinkError {
  return typeof error === "object" && error !== null && Reflect.get(error, "name") === "LinkError" && "code" in error;
}

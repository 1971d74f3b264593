// What a caller sees of a transport: a Router that many peers connect to, a Dealer that connects to one Router, both
// moving messages of frames and knowing nothing of what is in them. Besides, a Publisher that tells its latest state to
// any number of Subscribers. Implementations differ in speed and in how much they can tell; callers must not notice
// which one they hold.
//
// What holds for every router and dealer:
// - Messages of one peer arrive whole and in the order sent. Handlers are called one at a time, never from within a
//   call to the link.
// - Nothing is dropped in silence. A message that `send` answers with "queued" or "slow" is written, or its loss is
//   told: by `onUndelivered` (it never left) or by `onPeerDown` / `onDown` (what was under way may be lost).
// - A message larger than the bound is taken when nothing else waits. One without frames is a TypeError.
// - After `close`, `send` answers "unreachable" (router) or "congested" (dealer), and nothing more is delivered.
// - A routing id belongs to the connection that claimed it first; a second claim is refused, never handed over.
// - A frame handed to `send` or to a handler is not changed afterwards by either side.

import type { FramesToSend } from "./byte-strings.ts";
import type { Mechanism } from "./security/auth-request.ts";
import type { PeerSecurity, ServerSecurity } from "./security/link-security.ts";

/** One message: all frames that travel together. */
export type Frames = readonly Uint8Array[];

/**
 * What became of a message handed to `send`.
 * - `queued`: on its way
 * - `slow`: on its way, but much waits for this peer already; hold back until `onDrain`
 * - `congested`: refused, because the bound for this peer is reached; nothing was queued
 * - `unreachable`: refused, because no such peer is connected
 */
export type SendOutcome = "queued" | "slow" | "congested" | "unreachable";

/** Bounds that a link keeps. libzmq knows of messages only when they are whole: see what each says. */
export interface LinkLimits {
  /** The most bytes of one frame; a peer that sends more is cut off. @defaultValue 64 MiB */
  readonly maxFrameBytes: number;
  /** The most bytes of one message; a peer that sends more is cut off (not by libzmq). @defaultValue 256 MiB */
  readonly maxMessageBytes: number;
  /** The most frames of one message; a peer that sends more is cut off (not by libzmq). @defaultValue 131 072 */
  readonly maxFrames: number;
  /** The most peers of one router; further ones are cut off before they say anything (not by libzmq). @defaultValue 16 384 */
  readonly maxPeers: number;
  /**
   * Milliseconds that the other end has to introduce itself, from the start of connecting; then the connection is cut
   * (by libzmq only where a router has `security`). @defaultValue 10 000
   */
  readonly handshakeTimeoutMs: number;
  /** Bytes waiting for one peer above which `send` answers `slow`. @defaultValue 1 MiB */
  readonly slowBytes: number;
  /** Bytes waiting for one peer above which `send` answers `congested`. @defaultValue 64 MiB */
  readonly maxQueuedBytes: number;
  /** Messages waiting for one peer above which `send` answers `congested`. @defaultValue 100 000 */
  readonly maxQueuedMessages: number;
}

export const DEFAULT_LINK_LIMITS: LinkLimits = Object.freeze({
  maxFrameBytes: 64 * 1024 * 1024,
  maxMessageBytes: 256 * 1024 * 1024,
  maxFrames: 131_072,
  maxPeers: 16_384,
  handshakeTimeoutMs: 10_000,
  slowBytes: 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxQueuedMessages: 100_000,
});

/** What an implementation knows of a peer's connection. Fields are missing where it cannot tell. */
export interface PeerFacts {
  readonly remoteAddress?: string;
}

/**
 * Why a connection was refused or cut off by this end.
 * - `PROTOCOL`: its bytes are not ZMTP 3, or out of place
 * - `INCOMPATIBLE`: another mechanism, an older version, or a kind of socket that ours does not talk to
 * - `FRAME_TOO_LARGE`, `MESSAGE_TOO_LARGE`, `TOO_MANY_FRAMES`, `TOO_MANY_PEERS`: over a bound of `LinkLimits`
 * - `TOO_MANY_SUBSCRIPTIONS`: more than a publisher takes
 * - `ROUTING_ID`: the routing id that it claims is malformed, or belongs to another connection
 * - `REFUSED`: it refused us
 * - `HANDSHAKE_TIMEOUT`, `SILENCE`: it took too long to introduce itself, or stopped answering
 * - `DENIED`, `UNDECIDED`: by the check of who may come in, it may not; or that could not be found out
 * - `HANDSHAKE_FAILED`: the handshake of the mechanism failed, as with keys that do not fit
 */
export type RefusalCode =
  | "PROTOCOL"
  | "INCOMPATIBLE"
  | "FRAME_TOO_LARGE"
  | "MESSAGE_TOO_LARGE"
  | "TOO_MANY_FRAMES"
  | "TOO_MANY_PEERS"
  | "TOO_MANY_SUBSCRIPTIONS"
  | "ROUTING_ID"
  | "REFUSED"
  | "HANDSHAKE_TIMEOUT"
  | "SILENCE"
  | "DENIED"
  | "UNDECIDED"
  | "HANDSHAKE_FAILED";

export interface Refusal {
  readonly code: RefusalCode;
  /** What it did, in words. */
  readonly detail: string;
  /** Where it is; for a peer that asked to be let in, as the check has it. */
  readonly remoteAddress?: string;
  /** Where it came to, if where it is cannot be told. */
  readonly localAddress?: string;
  /** What was asked for, or shown, where it is about that. */
  readonly mechanism?: Mechanism;
  /** What the check failed with. */
  readonly cause?: unknown;
}

/** Peers are named by their routing id as a byte string: one character (U+0000 to U+00FF) for each byte. */
export interface RouterHandlers {
  onMessage(peer: string, frames: Frames): void;
  /** A peer connected. Only from implementations that can tell. */
  onPeerUp?(peer: string, facts: PeerFacts): void;
  /** A peer's connection is gone. Some implementations find out only when they send to it. */
  onPeerDown?(peer: string): void;
  /** A message that was accepted has not left and never will. Told of all that waited before `onPeerDown` is. */
  onUndelivered?(peer: string, frames: Frames): void;
  /** A peer that was `slow` has caught up. */
  onDrain?(peer: string): void;
  /** A connection was refused or cut off. `peer` if it had become one. Only from implementations that can tell. */
  onRefused?(refusal: Refusal, peer: string | undefined): void;
  /** The socket itself failed; it is closed. */
  onError?(error: LinkError): void;
}

export interface SendOptions {
  /**
   * May use the reserve above the bound, an eighth of it, that is kept for goodbyes and for the word that something
   * else was refused.
   */
  readonly urgent?: boolean;
}

export interface RouterLink {
  /**
   * Listens at an address: `tcp://host:port`, with `*` for every host or a free port, `ipc://path`, `inproc://name`.
   * @returns the address as bound, with the real port
   * @throws LinkError when it cannot be bound
   */
  bind(address: string): Promise<string>;
  /**
   * Stops listening at a bound address and frees it. Peers that came by it stay where the implementation can keep them;
   * otherwise what waits for them is written, and they are cut off and told.
   */
  unbind(address: string): Promise<void>;
  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome;
  /**
   * Writes what is queued, for at most `lingerMs` (default 1000), then closes. Safe to call twice. What is not written by
   * then is lost, and may be so untold.
   */
  close(lingerMs?: number): Promise<void>;
}

export interface DealerHandlers {
  onMessage(frames: Frames): void;
  /** The other end is there: messages leave from now on. */
  onUp?(facts: PeerFacts): void;
  /** The other end is gone. What was under way may be lost. The link goes on trying to reconnect until closed. */
  onDown?(): void;
  /** A message that was accepted has not left and never will. */
  onUndelivered?(frames: Frames): void;
  /** The other end, `slow` before, has caught up. */
  onDrain?(): void;
  /** The other end was cut off, or refused us. The link goes on trying. Only from implementations that can tell. */
  onRefused?(refusal: Refusal): void;
  onError?(error: LinkError): void;
}

export interface DealerLink {
  /** Starts connecting; the two ends may start in any order. @throws LinkError for an address it cannot read */
  connect(address: string): void;
  /** Never answers `unreachable`: before the other end is there, messages wait within the bound. */
  send(frames: FramesToSend, options?: SendOptions): SendOutcome;
  /**
   * Writes what is queued, for at most `lingerMs` (default 1000), then closes. Safe to call twice. What is not written by
   * then is lost, and may be so untold.
   */
  close(lingerMs?: number): Promise<void>;
}

export interface RouterOptions {
  readonly limits?: Partial<LinkLimits>;
  /**
   * Milliseconds after a message for which it looks for the next one instead of sleeping: what travels alone is sooner there, at
   * the cost of a core. libzmq takes no notice. @defaultValue 0
   */
  readonly spinMs?: number;
  /** What peers have to show. @defaultValue nothing */
  readonly security?: ServerSecurity | undefined;
}

export interface DealerOptions {
  /** The routing id to claim, as a byte string of 1 to 255 bytes that does not start with U+0000. */
  readonly routingId: string;
  readonly limits?: Partial<LinkLimits>;
  /** Milliseconds before the first attempt to reconnect. @defaultValue 100 */
  readonly reconnectMs?: number;
  /** Milliseconds that no pause between attempts exceeds. @defaultValue 5000 */
  readonly reconnectMaxMs?: number;
  /** What to show to the other end, and who it has to be. @defaultValue nothing, and anybody */
  readonly security?: PeerSecurity | undefined;
}

export interface PublisherHandlers {
  /** A subscriber was refused or cut off. Only from implementations that can tell. */
  onRefused?(refusal: Refusal): void;
  /** The socket itself failed; it is closed. */
  onError?(error: LinkError): void;
}

export interface PublisherOptions {
  /** What subscribers have to show. @defaultValue nothing */
  readonly security?: ServerSecurity | undefined;
}

/**
 * Tells a state that changes: every message stands for all that were published before it, and only the latest counts.
 * Nobody who subscribed stays behind for good: a subscriber that comes late is sent the latest at once, and one that
 * does not keep up may miss messages on the way, but never the last. So what waits for a subscriber is bounded by a few
 * messages, however slowly it reads.
 *
 * A subscriber may have 256 prefixes of at most 1024 bytes; whoever asks for more is cut off (libzmq does not count them).
 * There may be as many subscribers as a router has peers by default (libzmq does not count them either).
 */
export interface PublisherLink {
  /** As a router's. @throws LinkError (rejects) when it cannot be bound */
  bind(address: string): Promise<string>;
  /** To everybody who subscribed to a prefix of the first frame. Some may get it more than once. */
  publish(frames: Frames): void;
  /** Closes and frees its addresses. What is under way may be lost. Safe to call twice. */
  close(): Promise<void>;
}

export interface SubscriberHandlers {
  onMessage(frames: Frames): void;
  /** The publisher is there, and is told what is subscribed to. */
  onUp?(facts: PeerFacts): void;
  /** The publisher is gone. The link goes on trying to reconnect until closed. */
  onDown?(): void;
  /** The publisher was cut off, or refused us. The link goes on trying. Only from implementations that can tell. */
  onRefused?(refusal: Refusal): void;
  onError?(error: LinkError): void;
}

export interface SubscriberOptions {
  /** The most bytes of one frame; a publisher that sends more is left, and tried again. @defaultValue 64 MiB */
  readonly maxFrameBytes?: number;
  /** Milliseconds before the first attempt to reconnect. @defaultValue 100 */
  readonly reconnectMs?: number;
  /** Milliseconds that no pause between attempts exceeds. @defaultValue 5000 */
  readonly reconnectMaxMs?: number;
  /** As a dealer's. */
  readonly security?: PeerSecurity | undefined;
}

export interface SubscriberLink {
  /**
   * From now on messages come whose first frame starts with these bytes, a byte string. An empty one is every message.
   * @throws RangeError unless it is a byte string of at most 1024 bytes, and at most the 256th
   */
  subscribe(prefix: string): void;
  /** Starts connecting; the two ends may start in any order. @throws LinkError for an address it cannot read */
  connect(address: string): void;
  close(): Promise<void>;
}

/** One way to move frames. */
export interface Transport {
  /** Whether it keeps to `security`. One that does not say so is never to be given any. */
  readonly isSecurable?: boolean;
  router(handlers: RouterHandlers, options?: RouterOptions): RouterLink;
  dealer(handlers: DealerHandlers, options: DealerOptions): DealerLink;
  publisher(handlers?: PublisherHandlers, options?: PublisherOptions): PublisherLink;
  subscriber(handlers: SubscriberHandlers, options?: SubscriberOptions): SubscriberLink;
}

export type LinkErrorCode = "ADDRESS_IN_USE" | "ADDRESS_INVALID" | "CLOSED" | "REFUSED" | "FAILED";

/** A socket that could not do what it was asked. */
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

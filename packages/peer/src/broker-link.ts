// The link of a client or a worker to its broker. Each connection has its own link and its own routing id; later events of an
// earlier link are ignored.

import { peerIdFromText, reasonOf } from "@pigato/protocol/internal";
import {
  type ConnectionRejection,
  type DealerLink,
  type Frames,
  type FramesToSend,
  isLinkError,
  LinkError,
  type LinkLimits,
  type OversizedMessage,
  type PeerSecurity,
  type SendOptions,
  type SendOutcome,
  type Transport,
} from "@pigato/transport";
import { guardedLogger, type Logger } from "./guard.ts";

export interface BrokerLinkOptions {
  readonly transport: Transport;
  readonly security: PeerSecurity | undefined;
  readonly logger: Logger;
  readonly limits?: Partial<LinkLimits>;
  /** The routing id of the next connection. */
  newSocketId(): string;
}

export interface BrokerLinkHandlers {
  /** @param announcement of the broker, in its handshake */
  onUp(announcement: string | undefined): void;
  /** The link could not connect, and tries again. `lastFailure` says why. */
  onAttemptFailed(): void;
  onLost(reason: "link-down" | "unreachable"): void;
  readonly onMessage: (frames: Frames) => void;
  /** Bytes of a message came that is not whole yet. */
  onReceiving(): void;
  /** A message that is too large. */
  onOversized(message: OversizedMessage): void;
  /** The link accepted a message and returned it unsent. */
  onUndelivered(frames: Frames): void;
  /** A slow link has drained. */
  onDrain(): void;
  /** @param isFinal the transport cannot use the address */
  onFailed(error: LinkError, isFinal: boolean): void;
  /**
   * The broker rejected the connection, or this side rejected the broker. The link keeps trying.
   * @param isFinal every attempt will be rejected as long as neither side changes
   */
  onRejected(error: LinkError, isFinal: boolean): void;
}

export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  readonly #handlers: BrokerLinkHandlers;
  readonly #logger: Logger;
  readonly #closing = new Set<Promise<void>>();
  #link: DealerLink | undefined;
  #address: string | undefined;
  #socketId: string;
  #isUp = false;
  /** The connection to the broker was lost, and no new one has been tried. */
  #isLost = false;
  #lastFailure: LinkError | undefined;
  /** The last rejection that was reported: a link that keeps trying is rejected repeatedly. */
  #lastRejection: string | undefined;

  constructor(options: BrokerLinkOptions, handlers: BrokerLinkHandlers) {
    this.#options = options;
    this.#logger = guardedLogger(options.logger);
    this.#handlers = handlers;
    this.#socketId = options.newSocketId();
  }

  /** The address of the current link, or of the last one. */
  get address(): string | undefined {
    return this.#address;
  }

  /** The routing id of the current link, of the last one, or of the first one. */
  get socketId(): string {
    return this.#socketId;
  }

  /** Why no link is up: the reason of the last attempt that failed. `undefined` if a link is up, or none has failed. */
  get lastFailure(): LinkError | undefined {
    return this.#lastFailure;
  }

  /** Why no broker has answered. */
  get obstacle(): string {
    const address = this.#address ?? "";
    if (this.#lastFailure !== undefined) return obstacleOf(this.#lastFailure, address);
    if (this.#isLost)
      return `no broker reached at ${address}: the connection was lost, and a new one was not tried yet`;
    return this.#isUp
      ? `${address} accepted the connection and did not answer: it may be no broker, or know another peer with the id "${this.#socketId}"`
      : `no broker reached at ${address}: it did not answer`;
  }

  open(address: string): void {
    const { transport, security, limits } = this.#options;
    if (this.#address !== undefined) this.#socketId = this.#options.newSocketId();
    this.#address = address;
    this.#isUp = false;
    this.#isLost = false;
    this.#logger.debug({ address, socketId: this.#socketId }, "connecting");
    const { onMessage } = this.#handlers;
    try {
      const link: DealerLink = transport.dealer(
        {
          onMessage: (frames) => {
            if (this.#link === link) onMessage(frames);
          },
          onReceiving: () => {
            if (this.#link === link) this.#handlers.onReceiving();
          },
          onOversized: (message) => {
            if (this.#link === link) this.#handlers.onOversized(message);
          },
          onUp: ({ announcement }) => {
            if (this.#link === link) this.#onUp(announcement);
          },
          onAttemptFailed: (error) => {
            if (this.#link === link) this.#onAttemptFailed(error);
          },
          onDown: () => {
            if (this.#link === link) this.#handlers.onLost("link-down");
          },
          onUndelivered: (frames) => {
            if (this.#link === link) this.#handlers.onUndelivered(frames);
          },
          onDrain: () => {
            if (this.#link === link) this.#handlers.onDrain();
          },
          onRejected: (rejection) => {
            if (this.#link === link) this.#onRejected(rejection, address);
          },
          onError: (error) => {
            if (this.#link === link) this.#onFailed(error, "link-down");
          },
        },
        { routingId: peerIdFromText(this.#socketId), security, ...(limits && { limits }) },
      );
      this.#link = link;
      link.connect(address);
    } catch (cause) {
      this.#onFailed(linkErrorOf(cause, address), "unreachable");
    }
  }

  /** The connection to a broker that had answered is lost. The session decides when to open a new one. */
  onDisconnected(): void {
    this.#isLost = true;
  }

  /** @returns `undefined` without a link */
  send(frames: FramesToSend, options?: SendOptions): SendOutcome | undefined {
    return this.#link?.send(frames, options);
  }

  /** @param flush whether to write what was sent before */
  close(flush: boolean): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    const closing: Promise<void> = (flush ? link.close() : link.close(0))
      .catch((error: unknown) => this.#logger.warn({ err: error }, "a link did not close cleanly"))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Resolves when all closed links have ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #onUp(announcement: string | undefined): void {
    this.#isUp = true;
    this.#lastRejection = undefined;
    this.#lastFailure = undefined;
    this.#handlers.onUp(announcement);
  }

  #onAttemptFailed(error: LinkError): void {
    this.#lastFailure = error;
    this.#logger.debug({ err: error, address: this.#address }, "cannot connect");
    this.#handlers.onAttemptFailed();
  }

  #onFailed(error: LinkError, reason: "link-down" | "unreachable"): void {
    this.#lastFailure = error;
    this.#logger.error({ err: error, address: this.#address }, "the link failed");
    this.#handlers.onLost(reason);
    this.#handlers.onFailed(error, reason === "unreachable" && !isTransient(error));
  }

  #onRejected({ code, detail, cause }: ConnectionRejection, address: string): void {
    const id = code === "ROUTING_ID" ? ` (its id is "${this.#socketId}")` : "";
    const message = `connection to ${address} rejected: ${code}, ${detail}${id}`;
    this.#logger.warn({ address, code, detail }, "connection rejected");
    if (this.#lastRejection === message) return;
    this.#lastRejection = message;
    this.#handlers.onRejected(new LinkError("REFUSED", message, { address, cause }), isFinal(code));
  }
}

/** Without a file descriptor, no socket can be created. Later one may be. */
function isTransient({ cause }: LinkError): boolean {
  const code: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined;
  return code === "EMFILE" || code === "ENFILE";
}

function isFinal(code: ConnectionRejection["code"]): boolean {
  return code === "DENIED" || code === "INCOMPATIBLE" || code === "REFUSED";
}

function obstacleOf({ message, address }: LinkError, lastAddress: string): string {
  const at = address ?? lastAddress;
  const reason = message
    .replace(`cannot connect to ${at}: `, "")
    .replace(`connection to ${at} rejected: `, "rejected: ");
  return `no broker reached at ${at}: ${reason}`;
}

function linkErrorOf(cause: unknown, address: string): LinkError {
  if (isLinkError(cause)) return cause;
  return new LinkError("FAILED", `cannot connect to ${address}: ${reasonOf(cause)}`, { address, cause });
}

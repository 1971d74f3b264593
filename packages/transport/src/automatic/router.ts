// A router that listens with our own ZMTP where it can, and with libzmq for other addresses and with security. Both share one name
// space: the peer that claimed a routing id first keeps it.
//
// libzmq reports a peer's end only when a message does not find it. Until then its name stays in use.

import { kindToBind } from "../addresses.ts";
import type { FramesToSend } from "../byte-strings.ts";
import { LibzmqRouter } from "../libzmq/router.ts";
import {
  LinkError,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { needsLibzmq } from "../zmtp/endpoints.ts";
import { ZmtpRouter } from "../zmtp/router.ts";

export class AutomaticRouter implements RouterLink {
  readonly #handlers: RouterHandlers;
  readonly #options: RouterOptions;
  readonly #zmtp: ZmtpRouter;
  #libzmq: LibzmqRouter | undefined;
  /** Peers that sent a message over libzmq. */
  readonly #libzmqPeers = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: RouterOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#zmtp = new ZmtpRouter(handlers, {
      ...options,
      security: undefined,
      isTaken: (peer) => this.#libzmqPeers.has(peer),
    });
  }

  async bind(address: string): Promise<string> {
    return this.#routerFor(address).bind(address);
  }

  async unbind(address: string): Promise<void> {
    await this.#routerFor(address).unbind(address);
  }

  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (this.#libzmq !== undefined && !this.#zmtp.has(peer)) return this.#libzmq.send(peer, frames, options);
    return this.#zmtp.send(peer, frames, options);
  }

  close(lingerMs?: number): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs?: number): Promise<void> {
    await Promise.all([this.#zmtp.close(lingerMs), this.#libzmq?.close(lingerMs)]);
  }

  #routerFor(address: string): RouterLink {
    kindToBind(address);
    if (!needsLibzmq(address) && this.#options.security === undefined) return this.#zmtp;
    if (this.#closing !== undefined)
      throw new LinkError("CLOSED", `cannot bind ${address}: the router is closed`, { address });
    this.#libzmq ??= new LibzmqRouter(this.#libzmqHandlers(), this.#options);
    return this.#libzmq;
  }

  #libzmqHandlers(): RouterHandlers {
    const handlers = this.#handlers;
    return {
      onMessage: (peer, frames) => {
        if (this.#zmtp.has(peer)) {
          const detail = "the routing id belongs to another connection";
          handlers.onRejected?.({ code: "ROUTING_ID", detail }, undefined);
          return;
        }
        this.#libzmqPeers.add(peer);
        handlers.onMessage(peer, frames);
      },
      onPeerDown: (peer) => {
        this.#libzmqPeers.delete(peer);
        handlers.onPeerDown?.(peer);
      },
      onUndelivered: (peer, frames) => handlers.onUndelivered?.(peer, frames),
      onDrain: (peer) => handlers.onDrain?.(peer),
      onRejected: (rejection, peer) => handlers.onRejected?.(rejection, peer),
      onError: (error) => handlers.onError?.(error),
    };
  }
}

// A router that listens by ZMTP wherever that can be, and by libzmq elsewhere once it is asked to; with security, by libzmq
// everywhere. Its peers are one crowd:
// whoever claimed a routing id first keeps it, on whichever side.
//
// libzmq tells of a peer that left only when a message finds nobody. Until then its name stays taken.

import { kindToBind } from "../addresses.ts";
import type { FramesToSend } from "../frames-to-send.ts";
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
  readonly #network: ZmtpRouter;
  #native: LibzmqRouter | undefined;
  /** Who was heard by libzmq. */
  readonly #nativePeers = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: RouterOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#network = new ZmtpRouter(handlers, { ...options, isTaken: (peer) => this.#nativePeers.has(peer) });
  }

  async bind(address: string): Promise<string> {
    return this.#sideOf(address).bind(address);
  }

  async unbind(address: string): Promise<void> {
    await this.#sideOf(address).unbind(address);
  }

  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (this.#native !== undefined && !this.#network.has(peer)) return this.#native.send(peer, frames, options);
    return this.#network.send(peer, frames, options);
  }

  close(lingerMs?: number): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs?: number): Promise<void> {
    await Promise.all([this.#network.close(lingerMs), this.#native?.close(lingerMs)]);
  }

  #sideOf(address: string): RouterLink {
    kindToBind(address);
    if (!needsLibzmq(address) && this.#options.security === undefined) return this.#network;
    if (this.#closing !== undefined) throw new LinkError("CLOSED", "the router is closed");
    this.#native ??= new LibzmqRouter(this.#nativeHandlers(), this.#options);
    return this.#native;
  }

  #nativeHandlers(): RouterHandlers {
    const handlers = this.#handlers;
    return {
      onMessage: (peer, frames) => {
        if (this.#network.has(peer)) {
          const detail = "its routing id belongs to another connection";
          handlers.onRefused?.({ code: "ROUTING_ID", detail }, undefined);
          return;
        }
        this.#nativePeers.add(peer);
        handlers.onMessage(peer, frames);
      },
      onPeerDown: (peer) => {
        this.#nativePeers.delete(peer);
        handlers.onPeerDown?.(peer);
      },
      onUndelivered: (peer, frames) => handlers.onUndelivered?.(peer, frames),
      onDrain: (peer) => handlers.onDrain?.(peer),
      onRefused: (refusal, peer) => handlers.onRefused?.(refusal, peer),
      onError: (error) => handlers.onError?.(error),
    };
  }
}

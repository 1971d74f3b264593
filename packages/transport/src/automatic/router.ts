// A router that listens by ZMTP for tcp and ipc, and by libzmq for inproc once it is asked to. Its peers are one crowd:
// whoever claimed a routing id first keeps it, on whichever side.
//
// libzmq tells of a peer that left only when a message finds nobody. Until then its name stays taken.

import { type AddressKind, kindToBind } from "../addresses.ts";
import { LibzmqRouter } from "../libzmq/router.ts";
import {
  type Frames,
  LinkError,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { ZmtpRouter } from "../zmtp/router.ts";

export class AutomaticRouter implements RouterLink {
  readonly #handlers: RouterHandlers;
  readonly #options: RouterOptions;
  readonly #network: ZmtpRouter;
  #inproc: LibzmqRouter | undefined;
  /** Who was heard within the process. */
  readonly #inprocPeers = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: RouterOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#network = new ZmtpRouter(handlers, { ...options, isTaken: (peer) => this.#inprocPeers.has(peer) });
  }

  async bind(address: string): Promise<string> {
    return this.#sideOf(kindToBind(address)).bind(address);
  }

  async unbind(address: string): Promise<void> {
    await this.#sideOf(kindToBind(address)).unbind(address);
  }

  send(peer: string, frames: Frames, options?: SendOptions): SendOutcome {
    if (this.#inproc !== undefined && !this.#network.has(peer)) return this.#inproc.send(peer, frames, options);
    return this.#network.send(peer, frames, options);
  }

  close(lingerMs?: number): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs?: number): Promise<void> {
    await Promise.all([this.#network.close(lingerMs), this.#inproc?.close(lingerMs)]);
  }

  #sideOf(kind: AddressKind): RouterLink {
    if (kind !== "inproc") return this.#network;
    if (this.#closing !== undefined) throw new LinkError("CLOSED", "the router is closed");
    this.#inproc ??= new LibzmqRouter(this.#inprocHandlers(), this.#options);
    return this.#inproc;
  }

  #inprocHandlers(): RouterHandlers {
    const handlers = this.#handlers;
    return {
      onMessage: (peer, frames) => {
        if (this.#network.has(peer)) {
          const detail = "its routing id belongs to another connection";
          handlers.onRefused?.({ code: "ROUTING_ID", detail }, undefined);
          return;
        }
        this.#inprocPeers.add(peer);
        handlers.onMessage(peer, frames);
      },
      onPeerDown: (peer) => {
        this.#inprocPeers.delete(peer);
        handlers.onPeerDown?.(peer);
      },
      onUndelivered: (peer, frames) => handlers.onUndelivered?.(peer, frames),
      onDrain: (peer) => handlers.onDrain?.(peer),
      onError: (error) => handlers.onError?.(error),
    };
  }
}

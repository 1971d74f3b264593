// A router of which a test sees the events, and peers that the test writes byte by byte.

import type { ConnectionRejection, LinkLimits, RouterHandlers } from "../../link.ts";
import { ZmtpRouter } from "../router.ts";
import { RawPeer } from "./raw-peer.ts";

type Listened = "onMessage" | "onOversized" | "onReceiving" | "onUndelivered" | "onPeerDown";

/** One router at a time. */
export class RouterWithPeers {
  /** Peers that are up or down, rejections, and what the handlers of the test report. */
  events: string[] = [];
  rejections: ConnectionRejection[] = [];
  address = "";
  #router: ZmtpRouter | undefined;
  #peers: RawPeer[] = [];
  #onChange = (): void => {};

  get router(): ZmtpRouter {
    if (this.#router === undefined) throw new Error("the router was not started");
    return this.#router;
  }

  /** Closes the previous router, if there is one. */
  async start(limits: Partial<LinkLimits> = {}, handlers: Partial<Pick<RouterHandlers, Listened>> = {}): Promise<void> {
    await this.close();
    this.events = [];
    this.rejections = [];
    this.#router = new ZmtpRouter(
      {
        onMessage: () => {},
        onPeerUp: (peer) => this.report(`up ${peer}`),
        onRejected: (rejection, peer) => {
          this.rejections.push(rejection);
          this.report(`rejected ${peer ?? "unknown"}: ${rejection.code}`);
        },
        ...handlers,
      },
      { limits },
    );
    this.address = await this.#router.bind("tcp://127.0.0.1:*");
  }

  async close(): Promise<void> {
    for (const { socket } of this.#peers.splice(0)) socket.destroy();
    const router = this.#router;
    this.#router = undefined;
    await router?.close(0);
  }

  report(event: string): void {
    this.events.push(event);
    this.wake();
  }

  /** Lets `until` check again. */
  wake(): void {
    this.#onChange();
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  /** A peer that has written nothing. */
  async rawPeer(): Promise<RawPeer> {
    const peer = await RawPeer.connect(this.address);
    this.#peers.push(peer);
    return peer;
  }

  /** A peer that is up. */
  async connectedPeer(routingId: string): Promise<RawPeer> {
    const peer = await this.rawPeer();
    peer.introduce(routingId);
    await this.until(() => this.events.includes(`up ${routingId}`));
    return peer;
  }
}

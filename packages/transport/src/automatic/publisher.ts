// A publisher that listens by ZMTP wherever that can be, and by libzmq elsewhere once it is asked to; with security, by
// libzmq everywhere. Both tell the same.

import { kindToBind } from "../addresses.ts";
import { LibzmqPublisher } from "../libzmq/publisher.ts";
import { type Frames, LinkError, type PublisherHandlers, type PublisherLink, type PublisherOptions } from "../link.ts";
import { needsLibzmq } from "../zmtp/endpoints.ts";
import { ZmtpPublisher } from "../zmtp/publisher.ts";

export class AutomaticPublisher implements PublisherLink {
  readonly #handlers: PublisherHandlers | undefined;
  readonly #options: PublisherOptions;
  readonly #network: ZmtpPublisher;
  #native: LibzmqPublisher | undefined;
  #latest: Frames | undefined;
  #closing: Promise<void> | undefined;

  constructor(handlers?: PublisherHandlers, options: PublisherOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#network = new ZmtpPublisher(handlers);
  }

  async bind(address: string): Promise<string> {
    return this.#sideOf(address).bind(address);
  }

  publish(frames: Frames): void {
    this.#network.publish(frames);
    this.#native?.publish(frames);
    this.#latest = frames;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#network.close(), this.#native?.close()]);
  }

  #sideOf(address: string): PublisherLink {
    kindToBind(address);
    if (!needsLibzmq(address) && this.#options.security === undefined) return this.#network;
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot bind ${address}: the publisher is closed`, { address });
    }
    if (this.#native === undefined) {
      this.#native = new LibzmqPublisher(this.#handlers, this.#options);
      if (this.#latest !== undefined) this.#native.publish(this.#latest);
    }
    return this.#native;
  }
}

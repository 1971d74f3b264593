// A publisher that listens with our own ZMTP where it can, and with libzmq for other addresses and with security. Both publish the
// same messages.

import { kindToBind } from "../addresses.ts";
import { LibzmqPublisher } from "../libzmq/publisher.ts";
import { type Frames, LinkError, type PublisherHandlers, type PublisherLink, type PublisherOptions } from "../link.ts";
import { needsLibzmq } from "../zmtp/endpoints.ts";
import { ZmtpPublisher } from "../zmtp/publisher.ts";

export class AutomaticPublisher implements PublisherLink {
  readonly #handlers: PublisherHandlers | undefined;
  readonly #options: PublisherOptions;
  readonly #zmtp: ZmtpPublisher;
  #libzmq: LibzmqPublisher | undefined;
  #latest: Frames | undefined;
  #closing: Promise<void> | undefined;

  constructor(handlers?: PublisherHandlers, options: PublisherOptions = {}) {
    this.#handlers = handlers;
    this.#options = options;
    this.#zmtp = new ZmtpPublisher(handlers);
  }

  async bind(address: string): Promise<string> {
    return this.#publisherFor(address).bind(address);
  }

  publish(frames: Frames): void {
    this.#zmtp.publish(frames);
    this.#libzmq?.publish(frames);
    this.#latest = frames;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#zmtp.close(), this.#libzmq?.close()]);
  }

  #publisherFor(address: string): PublisherLink {
    kindToBind(address);
    if (!needsLibzmq(address) && this.#options.security === undefined) return this.#zmtp;
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot bind ${address}: the publisher is closed`, { address });
    }
    if (this.#libzmq === undefined) {
      this.#libzmq = new LibzmqPublisher(this.#handlers, this.#options);
      if (this.#latest !== undefined) this.#libzmq.publish(this.#latest);
    }
    return this.#libzmq;
  }
}

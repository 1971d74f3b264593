// The client of `ctx.client`, with which handlers make nested requests.

import { Client, type ClientOptions, isClientOption } from "@pigato/client";
import type { HostOptions } from "./options.ts";

/** Options of a host that are about itself, although a client has options of the same names. */
const NOT_SHARED: ReadonlySet<string> = new Set(["prefix", "onStart", "onStop", "onConnect", "onDisconnect"]);

export class NestedClient {
  readonly #given: Client | undefined;
  readonly #address: string | readonly string[];
  readonly #options: ClientOptions;
  #own: Client | undefined;

  /** @param options of the host: without a client among them, the first request creates one that connects as the host does */
  constructor(address: string | readonly string[], options: HostOptions) {
    this.#given = options.client;
    this.#address = address;
    this.#options = Object.fromEntries(
      Object.entries(options).filter(([name]) => isClientOption(name) && !NOT_SHARED.has(name)),
    );
  }

  get(): Client {
    if (this.#given !== undefined) return this.#given;
    if (this.#own === undefined) {
      this.#own = new Client(this.#address, this.#options);
      // Its requests wait until it is connected, and fail with what prevents that.
      this.#own.start().catch(() => {});
    }
    return this.#own;
  }

  /** Stops the client that it created. The next request creates another one. */
  async stop(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    await own?.stop();
  }
}

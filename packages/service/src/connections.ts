// The connections of a host to its broker: one for each service.

import { type LossReason, type PeerEvents, readService } from "@pigato/peer";
import { DIALECTS, Driver, type Reply, readRequest, type WorkerRequest } from "@pigato/worker/internal";
import type { HostedService } from "./hosted-service.ts";
import type { HostSettings } from "./options.ts";

/** What happens on the connections. */
export interface ConnectionEvents {
  /** @param data the decoded body; `NOT_JSON` or `MALFORMED` if it is not in its codec */
  request(service: HostedService, request: WorkerRequest, data: unknown, reply: Reply): void;
  /** All connections have been accepted by a broker. */
  connect(): void;
  /** The first of them was lost. */
  disconnect(reason: LossReason): void;
  error(error: Error): void;
}

export class Connections {
  readonly #addresses: readonly string[];
  readonly #settings: HostSettings["worker"];
  readonly #events: ConnectionEvents;
  readonly #drivers = new Map<string, Driver>();
  readonly #connected = new Set<Driver>();

  constructor(addresses: readonly string[], settings: HostSettings["worker"], events: ConnectionEvents) {
    this.#addresses = addresses;
    this.#settings = settings;
    this.#events = events;
  }

  /** The ids under which the broker knows the host, by service. */
  idOf(service: string): string {
    return this.#drivers.get(service)?.runtime.link.socketId ?? "";
  }

  /** @throws UsageError for an invalid service name */
  add(service: HostedService): Driver {
    const offer = { service: readService(service.name), addresses: this.#addresses };
    const dialect = DIALECTS[this.#settings.dialect];
    const events: PeerEvents = {
      start() {},
      stop() {},
      connecting() {},
      connect: () => this.#onConnect(driver),
      disconnect: (reason) => this.#onDisconnect(driver, reason),
      error: (error) => this.#events.error(error),
    };
    const driver = new Driver(offer, this.#settings, {
      ...events,
      request: (request, reply) => this.#events.request(service, request, readRequest(dialect, request), reply),
    });
    this.#drivers.set(service.name, driver);
    return driver;
  }

  async start(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver.runtime.lifecycle.start()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => driver.runtime.lifecycle.stop()));
  }

  #onConnect(driver: Driver): void {
    this.#connected.add(driver);
    if (this.#connected.size === this.#drivers.size) this.#events.connect();
  }

  #onDisconnect(driver: Driver, reason: LossReason): void {
    const wereAll = this.#connected.size === this.#drivers.size;
    if (this.#connected.delete(driver) && wereAll) this.#events.disconnect(reason);
  }
}

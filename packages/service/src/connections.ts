// The connections of a host to its broker. The first service opens the main connection, on which the host offers all other services. A
// service that the broker does not accept there gets a separate connection, until the broker accepts it on the main one. A broker that
// accepts one service for each connection thus has a connection for each service.

import { type LossReason, readService } from "@pigato/peer";
import { RequestError, type ServiceName } from "@pigato/protocol";
import {
  DIALECTS,
  Driver,
  type DriverEvents,
  type Reply,
  readRequest,
  type ServiceEffect,
  type WorkerRequest,
} from "@pigato/worker/internal";
import type { HostedService } from "./hosted-service.ts";
import type { HostSettings } from "./options.ts";
import { ServiceNames } from "./service-names.ts";

/** The host, as its connections notify it. */
export interface ConnectionEvents {
  /** @param readData decodes the body; returns `NOT_JSON` or `MALFORMED` if it is not in its codec */
  request(service: HostedService, request: WorkerRequest, readData: () => unknown, reply: Reply): void;
  /** A broker has accepted all services. */
  connect(): void;
  /** The first connection was lost. */
  disconnect(reason: LossReason): void;
  error(error: Error): void;
}

/** A service that the host offers besides its first one. */
interface Further {
  readonly name: ServiceName;
  readonly service: HostedService;
  /** Whether a broker has accepted it, on either connection. */
  isAccepted: boolean;
  /** Its separate connection, if it needs one. */
  own: Driver | undefined;
}

/** A start that has not been undone by a stop. */
interface Starting {
  readonly promise: Promise<void>;
  isDone: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export class Connections {
  readonly #addresses: readonly string[];
  readonly #settings: HostSettings["worker"];
  readonly #events: ConnectionEvents;
  readonly #names = new ServiceNames<HostedService>();
  readonly #further = new Map<ServiceName, Further>();
  /** Separate connections that are closing. */
  readonly #retired = new Set<Driver>();
  /** Of the first service. */
  #main: Driver | undefined;
  #isMainConnected = false;
  /** Whether that connection carries other services at the moment. */
  #isShared = false;
  /** Whether `connect` came after the last `disconnect`. */
  #isUp = false;
  #starting: Starting | undefined;

  constructor(addresses: readonly string[], settings: HostSettings["worker"], events: ConnectionEvents) {
    this.#addresses = addresses;
    this.#settings = settings;
    this.#events = events;
  }

  /** The id under which a broker knows the host as a worker for a service. */
  idOf(service: string): string {
    const driver = this.#further.get(readService(service))?.own ?? this.#main;
    return driver?.runtime.link.socketId ?? "";
  }

  /**
   * Offers a service, now or at the start.
   * @throws UsageError for an invalid service name
   */
  add(service: HostedService): void {
    const name = readService(service.name);
    this.#names.add(name, service);
    if (this.#main === undefined) {
      this.#main = this.#newMain(name, service);
      return;
    }
    this.#further.set(name, { name, service, isAccepted: false, own: undefined });
    this.#main.offer(name);
  }

  /** @returns a promise that resolves when a broker has accepted all services */
  start(): Promise<void> {
    this.#starting ??= newStarting();
    const { promise } = this.#starting;
    this.#main?.runtime.lifecycle.start().catch((error: unknown) => this.#fail(error));
    return promise;
  }

  async stop(): Promise<void> {
    const message = "the host was stopped before a broker answered";
    this.#fail(new RequestError({ code: "CLOSED", message, delivery: "not-sent" }));
    this.#starting = undefined;
    const drivers = [this.#main, ...this.#retired];
    for (const further of this.#further.values()) {
      drivers.push(further.own);
      further.own = undefined;
      further.isAccepted = false;
    }
    await Promise.all(drivers.map((driver) => driver?.runtime.lifecycle.stop()));
  }

  #newMain(name: ServiceName, first: HostedService): Driver {
    const serviceOf = (request: WorkerRequest) => (this.#isShared ? this.#names.find(request.service) : first);
    return this.#newDriver(name, serviceOf, {
      connect: () => {
        this.#isMainConnected = true;
        this.#onAccepted();
      },
      disconnect: (reason) => {
        this.#isMainConnected = false;
        this.#isShared = false;
        for (const further of this.#further.values()) if (further.own === undefined) further.isAccepted = false;
        this.#onLost(reason);
      },
      service: (effect) => this.#onService(effect),
    });
  }

  #newDriver(
    name: ServiceName,
    serviceOf: (request: WorkerRequest) => HostedService | undefined,
    events: Pick<DriverEvents, "connect" | "disconnect" | "service">,
  ): Driver {
    const dialect = DIALECTS[this.#settings.dialect];
    return new Driver({ service: name, addresses: this.#addresses }, this.#settings, {
      start() {},
      stop() {},
      connecting() {},
      error: (error) => this.#events.error(error),
      ...events,
      request: (request, reply) => {
        const service = serviceOf(request);
        if (service === undefined) return reply.reject("the host does not serve this name");
        this.#events.request(service, request, () => readRequest(dialect, request), reply);
      },
    });
  }

  #onService(effect: ServiceEffect): void {
    if (effect.type === "services") {
      if (!effect.isShared) for (const further of this.#further.values()) this.#connect(further);
      return;
    }
    const further = this.#further.get(effect.service);
    if (further === undefined) return;
    // On a separate connection, the broker may accept the service.
    if (effect.type === "service-refused") return this.#connect(further);
    this.#isShared = true;
    further.isAccepted = true;
    const { own } = further;
    // First, because events of a retired connection must have no effect.
    further.own = undefined;
    if (own !== undefined) this.#retire(own);
    this.#onAccepted();
  }

  #retire(driver: Driver): void {
    this.#retired.add(driver);
    void driver.runtime.lifecycle.stop().then(() => this.#retired.delete(driver));
  }

  /** Opens a separate connection for a service. */
  #connect(further: Further): void {
    if (further.own !== undefined || this.#starting === undefined) return;
    const { name, service } = further;
    const own = this.#newDriver(name, () => service, {
      connect: () => this.#onOwn(further, own, true),
      disconnect: (reason) => {
        this.#onOwn(further, own, false);
        if (further.own === own) this.#onLost(reason);
      },
    });
    further.own = own;
    further.isAccepted = false;
    own.runtime.lifecycle.start().catch((error: unknown) => {
      if (further.own === own) this.#onRefused(further, error);
    });
  }

  /** No broker accepts the service. At the start, this stops the host; later, the host continues without the service. */
  #onRefused(further: Further, error: unknown): void {
    if (this.#starting?.isDone === false) return this.#fail(error);
    this.#further.delete(further.name);
    // The others may have waited for it alone.
    this.#onAccepted();
  }

  /** @param own a separate connection, which may have been retired */
  #onOwn(further: Further, own: Driver, isAccepted: boolean): void {
    if (further.own !== own) return;
    further.isAccepted = isAccepted;
    if (isAccepted) this.#onAccepted();
  }

  #onAccepted(): void {
    if (!this.#isMainConnected || ![...this.#further.values()].every(({ isAccepted }) => isAccepted)) return;
    if (this.#starting !== undefined) {
      this.#starting.isDone = true;
      this.#starting.resolve();
    }
    if (this.#isUp) return;
    this.#isUp = true;
    this.#events.connect();
  }

  #onLost(reason: LossReason): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#events.disconnect(reason);
  }

  /** Has no effect once a broker has accepted all services: errors are events then. */
  #fail(error: unknown): void {
    this.#starting?.reject(error);
  }
}

function newStarting(): Starting {
  let resolve = (): void => {};
  let reject = (_error: unknown): void => {};
  const promise = new Promise<void>((onResolved, onRejected) => {
    resolve = onResolved;
    reject = onRejected;
  });
  promise.catch(() => {});
  return { promise, isDone: false, resolve, reject };
}

// The broker of a host: the instance that listens at the port first runs it. All others use it, and one of them takes over when it is
// gone. The port itself decides which one, because only one process can listen there.

import { Broker } from "@pigato/broker";
import { type Alarm, isLinkError, LinkError, systemClock } from "@pigato/transport";

type BrokerPort = Pick<Broker, "start" | "stop">;

/** Milliseconds between two attempts to take over. */
const RETRY_MS = 500;

export class LocalBroker {
  readonly address: string;
  readonly #onError: (error: Error) => void;
  readonly #newBroker: (address: string) => BrokerPort;
  readonly #retry: Alarm = systemClock.alarm(() => this.takeOver());
  #broker: BrokerPort | undefined;
  /** Why it could not be run, so that each reason is reported once. */
  #obstacle = "";
  /** The attempt in progress. */
  #starting: Promise<void> | undefined;
  #isStopped = false;

  /** @param onError receives each reason once for which the broker cannot be run, unless another process runs it */
  constructor(
    port: number,
    onError: (error: Error) => void,
    newBroker: (address: string) => BrokerPort = (address) => new Broker(address, { intch: false }),
  ) {
    this.address = `tcp://127.0.0.1:${port}`;
    this.#onError = onError;
    this.#newBroker = newBroker;
  }

  /** Runs the broker, unless another process does. Tries again until `onConnected()`. */
  takeOver(): void {
    if (this.#isStopped || this.#broker !== undefined) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    this.#retry.set(systemClock.now() + RETRY_MS);
  }

  /** There is a broker. */
  onConnected(): void {
    this.#retry.set(undefined);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry.set(undefined);
    await this.#starting;
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  async #start(): Promise<void> {
    const broker = this.#newBroker(this.address);
    try {
      await broker.start();
      this.#broker = broker;
    } catch (error) {
      if (isLinkError(error) && error.code === "ADDRESS_IN_USE") return;
      const message = `cannot run a broker at ${this.address}: ${isLinkError(error) ? error.message : String(error)}`;
      if (message === this.#obstacle) return;
      this.#obstacle = message;
      this.#onError(new LinkError("FAILED", message, { address: this.address, cause: error }));
    }
  }
}

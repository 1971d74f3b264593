// The other end of a sink: a PUSH socket. It is a part of a program that must not wait or fail because its sink is away, so messages
// wait here up to a bound.

import {
  ConnectionWatch,
  expectedAddress,
  integer,
  invalidValue,
  isAddress,
  type Logger,
  type Option,
  type OptionsOf,
  PeerSchema,
  queueMicrotask,
  rejectJsonLoss,
  resolveOptions,
  type SettingsOf,
  type Warnings,
  warningsOf,
} from "@pigato/peer";
import { RequestError } from "@pigato/protocol";
import { reasonOf, writeRawBody } from "@pigato/protocol/internal";
import { systemClock, ZmtpPusher } from "@pigato/transport";

const MIB = 1024 * 1024;
const { logger, stopTimeoutMs } = new PeerSchema();

export class PusherSchema {
  /** The most messages that wait for the sink. At the bound `push()` rejects with `BUSY`. @defaultValue 100 000 */
  readonly maxQueuedMessages: Option<number> = integer({ min: 1, max: 10_000_000, default: 100_000 });
  /** The most bytes that wait for the sink, with the same result at the bound. @defaultValue 64 MiB */
  readonly maxQueuedBytes: Option<number> = integer({ unit: "bytes", min: 1024, max: 1024 * MIB, default: 64 * MIB });
  /** Milliseconds that `stop()` waits until the sink has taken what waits. @defaultValue 5000 */
  readonly stopTimeoutMs: Option<number> = stopTimeoutMs;
  /** Where to log warnings, as of a worker; `false` turns them off. @defaultValue none: warnings of the process */
  readonly logger: Option<Logger | false, Logger> = logger;
}

const SCHEMA: PusherSchema = new PusherSchema();

export interface PusherOptions extends OptionsOf<PusherSchema> {}

/** Pushes messages to a `Sink`, or to any PULL socket that listens. It connects with the first message, and reconnects by itself. */
export class Pusher implements AsyncDisposable {
  /** The address of the sink. */
  readonly address: string;
  readonly #settings: SettingsOf<PusherSchema>;
  readonly #warnings: Warnings;
  readonly #watch: ConnectionWatch;
  #link: ZmtpPusher | undefined;
  #obstacle = "it did not answer";
  #isStopped = false;
  /** The callers that wait until the sink has caught up. */
  #waiting: (() => void)[] = [];

  /**
   * @param address where the sink listens: `tcp://host:5558` or `ipc://path`
   * @throws UsageError for an invalid address or option
   */
  constructor(address: string, options: PusherOptions = {}) {
    if (!isAddress(address)) {
      throw invalidValue("the address of the sink", expectedAddress("tcp://localhost:5558", address), address);
    }
    this.address = address;
    this.#settings = resolveOptions("a pusher", SCHEMA, options);
    this.#warnings = warningsOf(options.logger);
    this.#watch = new ConnectionWatch({
      clock: systemClock,
      warnings: this.#warnings,
      name: `a pusher to ${address}`,
      address: () => address,
      reason: () => this.#obstacle,
    });
  }

  /**
   * Sends a message: a `Uint8Array` as its bytes, an array of only those as one frame each, and any other value as JSON. The message has
   * left this process when the sink has taken it; if the connection is lost then, it may be lost, too.
   * @returns a promise that resolves when the message is accepted, and later while the sink is slow: await it to keep its pace. It
   *   rejects with a `RequestError` of the code `BUSY` if too many messages wait, and `CLOSED` after `stop()`. It need not be awaited: its
   *   rejection is never "unhandled", and a warning.
   * @throws UsageError for what JSON cannot represent or would lose, and LinkError for an address that cannot be used
   */
  push(message: unknown): Promise<void> {
    const frames = writeRawBody(message);
    if (frames !== message && frames[0] !== message) rejectJsonLoss(message, "push bytes instead");
    if (this.#isStopped) return this.#refuse("CLOSED", "it is stopped");
    const outcome = this.#connected().send(frames);
    switch (outcome) {
      case "queued":
        return Promise.resolve();
      case "slow":
        return new Promise((resolve) => this.#waiting.push(resolve));
      case "congested":
      case "unreachable": {
        const { maxQueuedMessages, maxQueuedBytes } = this.#settings;
        const bounds = `maxQueuedMessages (${maxQueuedMessages}) or maxQueuedBytes (${maxQueuedBytes})`;
        return this.#refuse("BUSY", `the messages that wait for it exceed ${bounds}`);
      }
      default:
        return outcome satisfies never;
    }
  }

  /** Waits at most `stopTimeoutMs` until the sink has taken what waits, and closes. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#link?.close(this.#settings.stopTimeoutMs);
    this.#watch.onStopped();
    this.#onDrain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #connected(): ZmtpPusher {
    if (this.#link !== undefined) return this.#link;
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings;
    let lost = 0;
    const link = new ZmtpPusher(
      {
        onUp: () => this.#watch.onConnected(),
        onDown: () => this.#watch.onWaiting(),
        onDrain: () => this.#onDrain(),
        onAttemptFailed: (error) => {
          this.#obstacle = reasonOf(error);
        },
        onUndelivered: () => {
          lost += 1;
          if (lost === 1) queueMicrotask(() => this.#warn(`${lost} messages to ${this.address} were not sent`));
        },
      },
      { maxQueuedMessages, maxQueuedBytes },
    );
    link.connect(this.address);
    this.#watch.onWaiting();
    this.#link = link;
    return link;
  }

  #onDrain(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #refuse(code: "BUSY" | "CLOSED", reason: string): Promise<never> {
    const message = `cannot push to ${this.address}: ${reason}`;
    const refused = Promise.reject(new RequestError({ code, message, delivery: "not-sent" }));
    refused.catch(() => {});
    this.#warn(message);
    return refused;
  }

  #warn(text: string): void {
    this.#warnings.warn("PIGATO_ERROR", text, { address: this.address });
  }
}

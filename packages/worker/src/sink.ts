// A sink: a PULL socket to which any number of workers and other programs push messages. Messages wait here until a loop takes them, up
// to a bound. Beyond it the sink reads no more, and its peers wait.

import {
  expectedAddress,
  integer,
  invalidValue,
  isAddress,
  type Option,
  type OptionsOf,
  resolveOptions,
  type SettingsOf,
} from "@pigato/peer";
import { costOfFrames, ownFrames, readRawBody } from "@pigato/protocol/internal";
import { type ConnectionRejection, type Frames, ZmtpPuller } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";

const KIB = 1024;
const MIB = KIB * KIB;
/** A message of many empty frames costs more memory than it has bytes. */
const MAX_FRAMES = 1_000;

export class SinkSchema {
  /**
   * The most messages that wait for a loop. At the bound the sink stops reading: its peers wait, and nothing is lost. It continues when
   * half of them are taken. Each connection may deliver one more message. @defaultValue 1000
   */
  readonly maxQueuedMessages: Option<number> = integer({ min: 1, max: 1_000_000, default: 1_000 });
  /**
   * The most bytes that wait for a loop, with the same result at the bound. Each frame counts 128 bytes more than it has.
   * @defaultValue 64 MiB
   */
  readonly maxQueuedBytes: Option<number> = integer({ unit: "bytes", min: KIB, max: KIB * MIB, default: 64 * MIB });
  /** The most bytes of one message. A peer that sends a larger one is disconnected. @defaultValue 64 MiB */
  readonly maxMessageBytes: Option<number> = integer({ unit: "bytes", min: KIB, max: KIB * MIB, default: 64 * MIB });
}

const SCHEMA: SinkSchema = new SinkSchema();

export interface SinkOptions extends OptionsOf<SinkSchema> {}

export interface SinkEvents {
  /** A connection was rejected or closed: its peer does not push, or sent too much. */
  "connection:rejected": (rejection: ConnectionRejection) => void;
}

type State =
  | { readonly phase: "new" | "stopped" }
  | { readonly phase: "started"; readonly link: ZmtpPuller; readonly bound: Promise<void> };

interface Waiting {
  readonly frames: Frames;
  readonly cost: number;
}

/**
 * Receives what workers push: `for await (const message of sink)`. A message is the value of its JSON, its text if it is not JSON, or a
 * `Uint8Array` if it is not UTF-8; of several frames, an array of these. Several loops share the messages.
 */
export class Sink extends EventEmitter<SinkEvents> implements AsyncIterable<unknown>, AsyncDisposable {
  readonly #settings: SettingsOf<SinkSchema>;
  #address: string;
  #state: State = { phase: "new" };
  /** Taken from the front. A set keeps one cursor at it, while an array would move all others. */
  readonly #queue = new Set<Waiting>();
  #front = this.#queue.values();
  #bytes = 0;
  readonly #takers = new Set<(frames: Frames | undefined) => void>();

  /**
   * @param address where to listen: `tcp://*:5558`, with `*` for every host or a free port, or `ipc://path`
   * @throws UsageError for an invalid address or option
   */
  constructor(address: string, options: SinkOptions = {}) {
    super();
    if (!isAddress(address)) {
      throw invalidValue("the address of the sink", expectedAddress("tcp://*:5558", address), address);
    }
    this.#address = address;
    this.#settings = resolveOptions("a sink", SCHEMA, options);
  }

  /** Where it listens, with the real port once it has started. */
  get address(): string {
    return this.#address;
  }

  /**
   * Listens. Safe to call twice.
   * @returns a promise that resolves when peers can connect, and rejects with a `LinkError` if the address cannot be bound
   */
  start(): Promise<void> {
    if (this.#state.phase !== "started") {
      const link = this.#newLink();
      this.#state = { phase: "started", link, bound: this.#bind(link) };
    }
    return this.#state.bound;
  }

  /** Closes all connections and frees the address. Loops end when they have taken what has arrived. Safe to call twice. */
  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { phase: "stopped" };
    for (const take of this.#takers) take(undefined);
    this.#takers.clear();
    if (state.phase === "started") await state.link.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, undefined, undefined> {
    for (;;) {
      const frames = await this.#take();
      if (frames === undefined) return;
      yield readRawBody(frames);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #newLink(): ZmtpPuller {
    const { maxMessageBytes } = this.#settings;
    return new ZmtpPuller(
      {
        onMessage: (frames) => this.#onMessage(frames),
        onRejected: (rejection) => this.emit("connection:rejected", rejection),
      },
      {
        maxFrames: MAX_FRAMES,
        maxFrameBytes: maxMessageBytes,
        maxMessageBytes,
        maxReceivingBytes: 2 * maxMessageBytes,
      },
    );
  }

  async #bind(link: ZmtpPuller): Promise<void> {
    try {
      this.#address = await link.bind(this.#address);
    } catch (error) {
      if (this.#state.phase === "started" && this.#state.link === link) this.#state = { phase: "new" };
      throw error;
    }
  }

  #onMessage(frames: Frames): boolean {
    for (const take of this.#takers) {
      this.#takers.delete(take);
      take(frames);
      return true;
    }
    const own = ownFrames(frames);
    const message: Waiting = { frames: own, cost: costOfFrames(own) };
    this.#queue.add(message);
    this.#bytes += message.cost;
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings;
    return this.#queue.size < maxQueuedMessages && this.#bytes < maxQueuedBytes;
  }

  #take(): Promise<Frames | undefined> {
    const message = this.#shift();
    if (message !== undefined) return Promise.resolve(message.frames);
    if (this.#state.phase === "stopped") return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.add(resolve));
  }

  #shift(): Waiting | undefined {
    const { value } = this.#front.next();
    if (value === undefined) {
      this.#front = this.#queue.values();
      return undefined;
    }
    this.#queue.delete(value);
    this.#bytes -= value.cost;
    const { maxQueuedMessages, maxQueuedBytes } = this.#settings;
    const hasRoom = this.#queue.size <= maxQueuedMessages / 2 && this.#bytes <= maxQueuedBytes / 2;
    if (hasRoom && this.#state.phase === "started") this.#state.link.resume();
    return value;
  }
}

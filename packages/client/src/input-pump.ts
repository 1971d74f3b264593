// Reads the source of a request's input, chunk by chunk, while the session does not pause it. At first it is paused, so nothing is read
// before the worker reads. A source may be asked for its next chunk when the request ends: what it still gives is dropped.

import type { Frame } from "@pigato/protocol";
import {
  discardSource,
  isReiterable,
  isReplayable,
  type OpenSource,
  openSource,
  SourceChunks,
  watchSource,
} from "./input-source.ts";

/** The request, as the source of its input uses it. Has no effect once the request has ended. */
export interface InputSink {
  /** @throws an error for a source that was read before */
  onStart(source: object): void;
  /** @throws an error for a value that cannot be sent */
  encode(chunk: unknown): Frame;
  write(chunk: Frame): void;
  end(): void;
  /** The source has failed, or a chunk cannot be sent. */
  fail(error: unknown): void;
}

export class InputPump {
  /** A source, or a function that returns one. */
  readonly #source: unknown;
  readonly #sink: InputSink;
  #open: OpenSource | undefined;
  /** Which attempt reads: 0 before the first one. What earlier ones read is dropped. */
  #round = 0;
  #isPaused = true;
  #isDone = false;
  #wake: () => void = () => {};

  constructor(source: unknown, sink: InputSink) {
    this.#source = source;
    this.#sink = sink;
    watchSource(source, (error) => this.#fail(error));
  }

  /** Whether it can be read again from its start. */
  get isReplayable(): boolean {
    return isReplayable(this.#source);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (this.#isDone) return;
    this.#isPaused = false;
    if (this.#round === 0) this.#start();
    else this.#wake();
  }

  /** Reads a new source from its start, after `resume`. */
  restart(): void {
    this.#close();
    this.#round += 1;
    this.#start();
  }

  /** The request has ended. */
  stop(): void {
    this.#isDone = true;
    this.#round += 1;
    this.#wake();
    this.#close();
    // An iterator that waits for its next chunk closes later, but what it reads does not wait.
    discardSource(this.#source);
  }

  #start(): void {
    if (this.#round === 0) this.#round = 1;
    const round = this.#round;
    this.#run(round).catch((error: unknown) => {
      if (round === this.#round) this.#fail(error);
    });
  }

  async #run(round: number): Promise<void> {
    // A source is user code, which must not run while an effect is performed.
    await undefined;
    while (this.#isPaused && round === this.#round) await this.#resumed();
    if (round !== this.#round) return;
    const source: unknown = typeof this.#source === "function" ? await this.#source() : this.#source;
    if (round !== this.#round) return discardSource(source);
    const origin = SourceChunks.originOf(source);
    if (typeof origin === "object" && origin !== null && !isReiterable(origin)) this.#sink.onStart(origin);
    const open = openSource(source);
    this.#open = open;
    for (;;) {
      // Not awaited unless it is a promise, which would cost a chunk of an iterable more than the rest of its way.
      const next = open.next();
      const result = isPromise(next) ? await next : next;
      if (round !== this.#round) return;
      if (result.done) return this.#sink.end();
      this.#sink.write(this.#sink.encode(result.value));
      while (this.#isPaused && round === this.#round) await this.#resumed();
      if (round !== this.#round) return;
    }
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fail(error: unknown): void {
    if (!this.#isDone) this.#sink.fail(error);
  }

  #close(): void {
    this.#open?.close();
    this.#open = undefined;
  }
}

function isPromise(result: ReturnType<OpenSource["next"]>): result is PromiseLike<IteratorResult<unknown, unknown>> {
  return "then" in result;
}

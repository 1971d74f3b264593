// The requests of a worker as loops that pull them: `for await (const request of worker.requests())`. A request waits here from its
// dispatch until a loop takes it, so the worker's concurrency bounds how many wait.
//
// Invariant: a loop waits only while no request does, and requests wait only while a loop is open.

import { Reply } from "./reply.ts";
import type { SentOptions } from "./sent-options.ts";

/** A request that a loop over `worker.requests()` receives. The three are those of a request handler. */
export interface IncomingRequest {
  readonly data: unknown;
  /** A request without a reply keeps its slot of the worker until its timeout. */
  readonly reply: Reply;
  /** The options that the client sent, unchanged; `{}` if it sent none. */
  readonly opts: SentOptions;
}

/** The worker, as its loops use it. */
export interface RequestSource {
  /** Starts or ends the flow of requests. */
  flow(isOpen: boolean): void;
  /** Requeues a request that no loop has taken. */
  requeue(reply: Reply): void;
}

type Result = IteratorResult<IncomingRequest, undefined>;

interface Taker {
  readonly loop: RequestLoop;
  resolve(result: Result): void;
}

const LEFT = "the worker left its loop over requests without a reply to this one";
const DONE: Result = Object.freeze({ done: true, value: undefined });

/** The requests of one worker, which its loops share. */
export class RequestQueue {
  readonly #source: RequestSource;
  readonly #loops = new Set<RequestLoop>();
  readonly #takers = new Set<Taker>();
  readonly #waiting = new Set<IncomingRequest>();
  /** Stays at the front. A new iterator would pass over all removed entries that the set has not released yet. */
  #front = this.#waiting.values();

  constructor(source: RequestSource) {
    this.#source = source;
  }

  get isOpen(): boolean {
    return this.#loops.size > 0;
  }

  open(): RequestLoop {
    const loop = new RequestLoop(this);
    if (this.#loops.size === 0) this.#source.flow(true);
    this.#loops.add(loop);
    return loop;
  }

  add(request: IncomingRequest): void {
    for (const taker of this.#takers) {
      this.#takers.delete(taker);
      return taker.resolve({ done: false, value: request });
    }
    if (this.#loops.size === 0) return this.#source.requeue(request.reply);
    this.#waiting.add(request);
    // Canceled requests do not count as in flight any more, so they must not wait here.
    request.reply.once("close", () => this.#waiting.delete(request));
  }

  /** The next request, in order of arrival. */
  take(loop: RequestLoop): Promise<Result> {
    if (!this.#loops.has(loop)) return Promise.resolve(DONE);
    for (let value = this.#shift(); value !== undefined; value = this.#shift()) {
      if (value.reply.active()) return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve) => this.#takers.add({ loop, resolve }));
  }

  /** Ends a loop. The last one requeues what waits. */
  end(loop: RequestLoop): void {
    if (!this.#loops.delete(loop)) return;
    for (const taker of this.#takers) {
      if (taker.loop !== loop) continue;
      this.#takers.delete(taker);
      taker.resolve(DONE);
    }
    if (this.#loops.size > 0) return;
    this.#source.flow(false);
    for (let request = this.#shift(); request !== undefined; request = this.#shift()) {
      if (request.reply.active()) this.#source.requeue(request.reply);
    }
  }

  /** The worker has stopped. */
  endAll(): void {
    for (const loop of this.#loops) this.end(loop);
  }

  #shift(): IncomingRequest | undefined {
    const { value } = this.#front.next();
    if (value === undefined) this.#front = this.#waiting.values();
    else this.#waiting.delete(value);
    return value;
  }
}

/**
 * One loop over the requests of a worker, as `worker.requests()` returns it. It ends when the worker has stopped, or when it is left:
 * by `break`, `return` or an exception in its body. The request that it leaves without a reply then fails with an error; it is not
 * sent to another worker, because the body may have executed a part of it. Call `reply.reject()` first if it did not.
 */
export class RequestLoop implements AsyncIterator<IncomingRequest, undefined>, AsyncDisposable {
  readonly #queue: RequestQueue;
  #current: Reply | undefined;

  constructor(queue: RequestQueue) {
    this.#queue = queue;
  }

  /** Waits for a request. Several calls may wait: they get requests in the order of the calls. */
  async next(): Promise<Result> {
    this.#current = undefined;
    const result = await this.#queue.take(this);
    this.#current = result.value?.reply;
    return result;
  }

  /** Ends the loop. Requests that no loop has taken go to another worker, if this is the worker's last loop. */
  async return(): Promise<Result> {
    const reply = this.#current;
    this.#current = undefined;
    if (reply !== undefined) Reply.fail(reply, new Error(LEFT));
    this.#queue.end(this);
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

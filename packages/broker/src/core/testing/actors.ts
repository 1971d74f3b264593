// The peers of a scenario: what they can say, and what they were sent.

import {
  type Capabilities,
  DEFAULT_REQUEST_OPTIONS,
  type Frame,
  type FromClient,
  type FromWorker,
  NO_CAPABILITIES,
  peerId,
  type RequestId,
  type RequestOptions,
  requestId,
  serviceName,
  type ToClient,
  type ToWorker,
  writeText,
} from "@pigato/protocol";

export type Delivered = ToWorker & { readonly type: "request" };

/** What a request's options are called in a scenario; `worker` is a name. */
export interface RequestWishes extends Partial<Omit<RequestOptions, "worker">> {
  readonly worker?: string;
  readonly body?: string;
  /** The first grant of a reply that is to be paced. */
  readonly credit?: number | undefined;
}

/** What a worker offers unless it is a classic one: to take cancels, and 100 requests at once. */
const MODERN: Capabilities = Object.freeze({ ...NO_CAPABILITIES, cancel: true, concurrency: 100 });

export class WorkerActor {
  /** Everything it was sent, one line each. */
  readonly lines: string[] = [];
  /** The requests it was sent, whether it still holds them or not. */
  readonly received: Delivered[] = [];
  readonly #say: (message: FromWorker) => void;
  #isQuiet = false;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  /** @param offer `classic` for a worker that offers nothing, otherwise what differs from a modern one's offer */
  ready(service: string, offer: "classic" | Partial<Capabilities> = {}): this {
    const offered = offer === "classic" ? undefined : { ...MODERN, ...offer };
    return this.says({ type: "ready", service: serviceName(service), offer: offered });
  }

  heartbeat(concurrency?: number): this {
    return this.says({ type: "heartbeat", concurrency, update: false });
  }

  final(request: string | Delivered, text = "done", status = 0, cacheMs?: number): this {
    return this.says({ type: "final", ...this.#reply(request), ...content(text, status, cacheMs) });
  }

  partial(request: string | Delivered, text = "part", cacheMs?: number): this {
    return this.says({ type: "partial", ...this.#reply(request), ...content(text, 0, cacheMs) });
  }

  partials(request: string | Delivered, texts: readonly string[], cacheMs?: number): this {
    const cache = cacheMs === undefined ? {} : { cacheMs };
    const content = { chunks: texts.map(writeText), options: writeText("{}"), ...cache };
    return this.says({ type: "partials", ...this.#reply(request), ...content });
  }

  reject(request: string | Delivered): this {
    return this.says({ type: "reject", ...this.#reply(request), reason: undefined });
  }

  requestHeartbeat(request: string | Delivered): this {
    return this.says({ type: "request-heartbeat", ...this.#reply(request) });
  }

  disconnect(): this {
    return this.says({ type: "disconnect" });
  }

  says(message: FromWorker): this {
    this.#say(message);
    return this;
  }

  get requestIds(): string[] {
    return this.received.map((request) => request.requestId);
  }

  /** The last request it was sent under this id. */
  receivedAs(id: string): { readonly address: string; readonly message: Delivered } {
    const message = this.received.findLast((request) => request.requestId === id);
    if (message === undefined) throw new Error(`the worker was never sent ${id}`);
    return { address: message.address, message };
  }

  receive(message: ToWorker, line: string): void {
    if (message.type === "request") this.received.push(message);
    if (!this.#isQuiet || message.type !== "heartbeat") this.lines.push(line);
  }

  /** Leaves the broker's answer to a heartbeat out of the transcript. */
  quietly(act: () => void): void {
    this.#isQuiet = true;
    act();
    this.#isQuiet = false;
  }

  #reply(request: string | Delivered): { readonly address: string; readonly requestId: RequestId } {
    const { address, requestId: id } = typeof request === "string" ? this.receivedAs(request).message : request;
    return { address, requestId: id };
  }
}

export class ClientActor {
  /** Everything it was sent, one line each. */
  readonly lines: string[] = [];
  readonly received: ToClient[] = [];
  readonly #name: string;
  readonly #say: (message: FromClient) => void;
  #isQuiet = false;

  constructor(name: string, say: (message: FromClient) => void) {
    this.#name = name;
    this.#say = say;
  }

  /** A request whose body, unless given, is `client/id`. */
  request(service: string, id: string, { worker, body, credit, ...wishes }: RequestWishes = {}): this {
    const target = worker === undefined ? undefined : peerId(worker);
    return this.says({
      type: "request",
      service: serviceName(service),
      requestId: requestId(id),
      body: [textFrame(body ?? `${this.#name}/${id}`)],
      trailer: [],
      options: { ...DEFAULT_REQUEST_OPTIONS, ...wishes, worker: target },
      credit,
    });
  }

  /** Sends what it can do beyond the classic wire: typed errors, and cancel. */
  offer(offer: Partial<Capabilities> = {}): this {
    return this.says({ type: "heartbeat", offer: { ...NO_CAPABILITIES, cancel: true, error: true, ...offer } });
  }

  heartbeat(): this {
    return this.says({ type: "heartbeat", offer: undefined });
  }

  requestHeartbeat(id: string): this {
    return this.says({ type: "request-heartbeat", requestId: requestId(id) });
  }

  vouchFor(worker: string): this {
    return this.says({ type: "worker-heartbeat", worker: peerId(worker) });
  }

  cancel(id: string): this {
    return this.says({ type: "cancel", requestId: requestId(id) });
  }

  grant(id: string, chunks: number): this {
    return this.says({ type: "credit", requestId: requestId(id), chunks });
  }

  disconnect(): this {
    return this.says({ type: "disconnect" });
  }

  says(message: FromClient): this {
    this.#say(message);
    return this;
  }

  receive(message: ToClient, line: string): void {
    this.received.push(message);
    if (!this.#isQuiet || message.type !== "heartbeat") this.lines.push(line);
  }

  /** Leaves the broker's answer to a heartbeat out of the transcript. */
  quietly(act: () => void): void {
    this.#isQuiet = true;
    act();
    this.#isQuiet = false;
  }
}

function content(
  text: string,
  status: number,
  cacheMs: number | undefined,
): Omit<FromWorker & { readonly type: "final" }, "type" | "address" | "requestId"> {
  const reply = { status, body: [writeText(text)], trailer: [] };
  return cacheMs === undefined ? reply : { ...reply, cacheMs };
}

function textFrame(text: string): Frame {
  return writeText(text);
}

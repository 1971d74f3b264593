// The peers of a scenario: what they can send, and what they received.

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

/** The options of a request in a scenario; `worker` is a name. */
export interface RequestFields extends Partial<Omit<RequestOptions, "worker">> {
  readonly worker?: string;
  readonly body?: string;
  /** The first grant, if the reply is paced. */
  readonly credit?: number | undefined;
  /** What is left until the deadline. */
  readonly deadlineMs?: number | undefined;
  /** The JSON of its headers. */
  readonly headers?: string;
}

/** The offer of a worker that is not classic. */
const MODERN: Capabilities = Object.freeze({ ...NO_CAPABILITIES, cancel: true, concurrency: 100 });

export class WorkerActor {
  /** Every message that it received, one line each. */
  readonly lines: string[] = [];
  /** Every request that it received, whether it still holds the request or not. */
  readonly received: Delivered[] = [];
  readonly #send: (message: FromWorker) => void;
  #isQuiet = false;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  /** @param offer `classic` for a worker that offers nothing, otherwise the differences from `MODERN` */
  ready(service: string, offer: "classic" | Partial<Capabilities> = {}): this {
    const offered = offer === "classic" ? undefined : { ...MODERN, ...offer };
    return this.sends({ type: "ready", service: serviceName(service), offer: offered });
  }

  heartbeat(concurrency?: number): this {
    return this.sends({ type: "heartbeat", concurrency, update: false });
  }

  final(request: string | Delivered, text = "done", status = 0, cacheMs?: number): this {
    return this.sends({ type: "final", ...this.#reply(request), ...content(text, status, cacheMs) });
  }

  partial(request: string | Delivered, text = "part", cacheMs?: number): this {
    return this.sends({ type: "partial", ...this.#reply(request), ...content(text, 0, cacheMs) });
  }

  partials(request: string | Delivered, texts: readonly string[], cacheMs?: number): this {
    const cache = cacheMs === undefined ? {} : { cacheMs };
    const content = { chunks: texts.map(writeText), options: writeText("{}"), ...cache };
    return this.sends({ type: "partials", ...this.#reply(request), ...content });
  }

  reject(request: string | Delivered): this {
    return this.sends({ type: "reject", ...this.#reply(request), reason: undefined });
  }

  requestHeartbeat(request: string | Delivered): this {
    return this.sends({ type: "request-heartbeat", ...this.#reply(request) });
  }

  /** Grants chunks of input. */
  grant(request: string | Delivered, chunks: number): this {
    return this.sends({ type: "credit", ...this.#reply(request), chunks });
  }

  disconnect(): this {
    return this.sends({ type: "disconnect" });
  }

  sends(message: FromWorker): this {
    this.#send(message);
    return this;
  }

  get requestIds(): string[] {
    return this.received.map((request) => request.requestId);
  }

  /** The last request that it received under this id. */
  receivedAs(id: string): { readonly address: string; readonly message: Delivered } {
    const message = this.received.findLast((request) => request.requestId === id);
    if (message === undefined) throw new Error(`the worker never received ${id}`);
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
  /** Every message that it received, one line each. */
  readonly lines: string[] = [];
  readonly received: ToClient[] = [];
  readonly #name: string;
  readonly #send: (message: FromClient) => void;
  #isQuiet = false;

  constructor(name: string, send: (message: FromClient) => void) {
    this.#name = name;
    this.#send = send;
  }

  /** Sends a request. The default body is `client/id`. */
  request(service: string, id: string, fields: RequestFields = {}): this {
    const { worker, body, credit, deadlineMs, headers, ...options } = fields;
    const target = worker === undefined ? undefined : peerId(worker);
    return this.sends({
      type: "request",
      service: serviceName(service),
      requestId: requestId(id),
      body: [textFrame(body ?? `${this.#name}/${id}`)],
      trailer: headers === undefined ? [] : [textFrame("{}"), textFrame(`headers=${headers}`)],
      hasHeaders: headers !== undefined,
      options: { ...DEFAULT_REQUEST_OPTIONS, ...options, worker: target },
      credit,
      deadlineMs,
    });
  }

  /** Offers what it can do beyond the classic wire: typed errors and cancel, unless `offer` differs. */
  offer(offer: Partial<Capabilities> = {}): this {
    return this.sends({ type: "heartbeat", offer: { ...NO_CAPABILITIES, cancel: true, error: true, ...offer } });
  }

  heartbeat(): this {
    return this.sends({ type: "heartbeat", offer: undefined });
  }

  requestHeartbeat(id: string): this {
    return this.sends({ type: "request-heartbeat", requestId: requestId(id) });
  }

  heartbeatFor(worker: string): this {
    return this.sends({ type: "worker-heartbeat", worker: peerId(worker) });
  }

  cancel(id: string): this {
    return this.sends({ type: "cancel", requestId: requestId(id) });
  }

  grant(id: string, chunks: number): this {
    return this.sends({ type: "credit", requestId: requestId(id), chunks });
  }

  input(id: string, ...texts: readonly string[]): this {
    return this.sends({ type: "input", requestId: requestId(id), chunks: texts.map(writeText) });
  }

  inputEnd(id: string): this {
    return this.sends({ type: "input-end", requestId: requestId(id) });
  }

  disconnect(): this {
    return this.sends({ type: "disconnect" });
  }

  sends(message: FromClient): this {
    this.#send(message);
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

/** A frame with memory of its own, so that the broker need not copy it: the model knows a request by its frame. */
function textFrame(text: string): Frame {
  return new Uint8Array(writeText(text));
}

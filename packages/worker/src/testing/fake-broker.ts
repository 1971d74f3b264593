// A broker without rules: it records the messages of workers, and answers READY and heartbeats unless `isAnswering` is false.

import {
  type Capabilities,
  DEFAULT_REQUEST_OPTIONS,
  type FromWorker,
  NO_CAPABILITIES,
  pigato,
  type RequestOptions,
  readText,
  requestId,
  serviceNameFromText,
  type ToWorker,
  type Violation,
  writeText,
} from "@pigato/protocol";
import type { FramesToSend, RouterLink, Transport } from "@pigato/transport";
import "./watch-sessions.ts";

/** A network that delivers messages when the test calls it, like the one of @pigato/testkit. */
interface Network extends Transport {
  deliver(): void;
}

export class FakeBroker {
  /** The ids of the workers that sent READY, oldest first. */
  readonly workers: string[] = [];
  readonly received: (FromWorker | Violation)[] = [];
  /** The capabilities that its answer to READY accepts. */
  accepted: Capabilities = NO_CAPABILITIES;
  /** Whether it answers READY and heartbeats. */
  isAnswering = true;
  readonly #network: Network;
  readonly #router: RouterLink;

  constructor(network: Network) {
    this.#network = network;
    this.#router = network.router({
      onMessage: (peer, frames) => this.#onMessage(peer, pigato.decodeFromWorker(frames)),
    });
  }

  static async at(address: string, network: Network): Promise<FakeBroker> {
    const broker = new FakeBroker(network);
    await broker.#router.bind(address);
    return broker;
  }

  /** The worker that sent READY last. */
  get worker(): string {
    return this.workers.at(-1) ?? "";
  }

  /** Takes the received messages, without heartbeats, as lines of text. */
  takeMessages(): string[] {
    return this.received.splice(0).filter(isNoHeartbeat).map(described);
  }

  send(message: ToWorker, to: string = this.worker): void {
    this.sendFrames(pigato.encodeToWorker(message), to);
  }

  sendFrames(frames: FramesToSend, to: string = this.worker): void {
    this.#router.send(to, frames);
    this.#network.deliver();
  }

  /** @param credit the first grant, for a reply with flow control */
  request(id: string, data: string, options?: string, credit?: number, service = "echo"): void {
    this.send({
      type: "request",
      address: "c1",
      service: serviceNameFromText(service),
      requestId: requestId(id),
      body: [writeText(data)],
      trailer: options === undefined ? [] : [writeText(options)],
      options: DEFAULT_REQUEST_OPTIONS,
      credit,
    });
  }

  /** A request whose input is a stream. */
  inputRequest(id: string, options: Partial<RequestOptions> = {}): void {
    this.send({
      type: "request",
      address: "c1",
      service: serviceNameFromText("echo"),
      requestId: requestId(id),
      body: [writeText("null")],
      trailer: [writeText(JSON.stringify({ input: 1, ...options }))],
      options: { ...DEFAULT_REQUEST_OPTIONS, hasInput: true, ...options },
    });
  }

  input(id: string, ...chunks: readonly unknown[]): void {
    const frames = chunks.map((chunk) => (chunk instanceof Uint8Array ? chunk : writeText(JSON.stringify(chunk))));
    this.send({ type: "input", address: "c1", requestId: requestId(id), chunks: frames });
  }

  inputEnd(id: string): void {
    this.send({ type: "input-end", address: "c1", requestId: requestId(id) });
  }

  grant(id: string, chunks: number): void {
    this.send({ type: "credit", address: "c1", requestId: requestId(id), chunks });
  }

  cancel(id: string): void {
    this.send({ type: "cancel", address: "c1", requestId: requestId(id) });
  }

  async close(): Promise<void> {
    await this.#router.close();
    this.#network.deliver();
  }

  #onMessage(peer: string, message: FromWorker | Violation): void {
    this.received.push(message);
    if (message.type === "ready") this.workers.push(peer);
    if (!this.isAnswering) return;
    if (message.type === "ready") this.#answer(peer, { type: "ready", accepted: this.accepted });
    if (message.type === "heartbeat") this.#answer(peer, { type: "heartbeat" });
  }

  #answer(peer: string, message: ToWorker): void {
    this.#router.send(peer, pigato.encodeToWorker(message));
  }
}

function isNoHeartbeat(message: FromWorker | Violation): boolean {
  return message.type !== "heartbeat";
}

function described(message: FromWorker | Violation): string {
  switch (message.type) {
    case "ready":
      return `ready ${message.service}`;
    case "partial":
    case "final":
      return `${message.type} ${message.requestId} ${message.status} ${message.body.map(readText)}`;
    case "partials":
      return `partials ${message.requestId} ${message.chunks.map(readText)} ${readText(message.options)}`;
    case "credit":
      return `credit ${message.requestId} ${message.chunks}`;
    case "reject":
      return `reject ${message.requestId}`;
    default:
      return message.type;
  }
}

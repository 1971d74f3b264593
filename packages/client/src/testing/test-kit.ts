// Fixtures for the tests of the client's shell: a fake broker, and a client on a network in memory with a clock that the test
// controls.

import {
  type Failure,
  type FromClient,
  NO_CAPABILITIES,
  pigato,
  RequestError,
  readText,
  type ToClient,
  type Violation,
  writeText,
} from "@pigato/protocol";
import { FakeClock, MemoryNetwork, type MemoryRouter } from "@pigato/testkit";
import type { FramesToSend } from "@pigato/transport";
import { afterEach, beforeEach } from "vitest";
import { Client } from "../client.ts";
import type { ClientOptions } from "../options.ts";
import "./watch-sessions.ts";

export type Request = Extract<FromClient, { readonly type: "request" }>;

export const ADDRESS = "memory://broker";

/** A fake broker. It answers heartbeats by itself, and requests as the test configures it. */
export class FakeBroker {
  readonly messages: (FromClient | Violation)[] = [];
  readonly peers: string[] = [];
  onRequest: (request: Request) => void = () => {};
  onCredit: (chunks: number) => void = () => {};
  onInputEnd: (request: Request) => void = () => {};
  readonly router: MemoryRouter;
  readonly #accepted = {
    ...NO_CAPABILITIES,
    cancel: true,
    error: true,
    credit: true,
    duplex: true,
    notice: true,
    requestHeartbeat: true,
  };
  #peer = "";

  constructor(network: MemoryNetwork, isModern = true) {
    this.router = network.router({
      onPeerUp: (peer) => this.peers.push(peer),
      onMessage: (peer, frames) => {
        const message = pigato.decodeFromClient(frames);
        this.messages.push(message);
        this.#peer = peer;
        if (message.type === "heartbeat") {
          this.send({ type: "heartbeat", accepted: message.offer && isModern ? this.#accepted : undefined });
        }
        if (message.type === "request") this.onRequest(message);
        if (message.type === "credit") this.onCredit(message.chunks);
        if (message.type === "input-end") this.#onInputEnd();
      },
    });
  }

  get requests(): Request[] {
    return this.messages.filter((message) => message.type === "request");
  }

  typesSeen(): string[] {
    return this.messages.map((message) => message.type).filter((type) => type !== "heartbeat");
  }

  async listen(address: string = ADDRESS): Promise<this> {
    await this.router.bind(address);
    return this;
  }

  /** Replies to every request with its own data. */
  echo(): this {
    this.onRequest = (request) => this.#reply("final", request, request.body);
    return this;
  }

  /** Replies to every request with these partials and this final. */
  answer(partials: readonly unknown[], final: unknown): this {
    this.onRequest = (request) => {
      for (const value of partials) this.partial(request, value);
      this.final(request, final);
    };
    return this;
  }

  partial(request: Request, value: unknown): void {
    this.#reply("partial", request, [json(value)]);
  }

  /** Sends all partials in one message. */
  partials({ requestId }: Request, values: readonly unknown[]): void {
    this.send({ type: "partials", requestId, chunks: values.map(json), options: writeText("{}") });
  }

  final(request: Request, value: unknown, status = 0): void {
    this.#reply("final", request, [json(value)], status);
  }

  /** Asks for chunks of its input. */
  grant({ requestId }: Request, chunks: number): void {
    this.send({ type: "credit", requestId, chunks });
  }

  /** The chunks of input that it received, of all requests. */
  get inputs(): string[] {
    return this.messages.flatMap((message) => (message.type === "input" ? message.chunks.map(readText) : []));
  }

  fail(request: Request, failure: Failure): void {
    this.send({ type: "failure", requestId: request.requestId, failure });
  }

  send(message: ToClient): void {
    this.sendFrames(pigato.encodeToClient(message, this.#accepted));
  }

  sendFrames(frames: FramesToSend): void {
    this.router.send(this.#peer, frames);
  }

  /** Of the last request. */
  #onInputEnd(): void {
    const request = this.requests.at(-1);
    if (request !== undefined) this.onInputEnd(request);
  }

  #reply(type: "partial" | "final", { requestId }: Request, body: readonly Uint8Array[], status = 0): void {
    this.send({ type, requestId, status, body, trailer: [] });
  }
}

/** The fixtures of one test, created before it and closed after it. */
export class TestKit {
  network: MemoryNetwork = new MemoryNetwork({ auto: true });
  clock: FakeClock = new FakeClock();
  #clients: Client[] = [];

  constructor() {
    beforeEach(() => {
      this.network = new MemoryNetwork({ auto: true });
      this.clock = new FakeClock();
      this.#clients = [];
    });
    afterEach(async () => {
      const stops = this.#clients.map((client) => client.stop());
      this.clock.advance(10_000);
      await Promise.all(stops);
    });
  }

  newClient(options: ClientOptions = {}, address: string | string[] = ADDRESS): Client {
    const { network, clock } = this;
    const client = new Client(address, { transport: network, clock, random: () => 0, ...options });
    this.#clients.push(client);
    return client;
  }

  async started(options: ClientOptions = {}): Promise<{ client: Client; broker: FakeBroker }> {
    const broker = await new FakeBroker(this.network).listen();
    const client = this.newClient(options);
    await client.start();
    return { client, broker };
  }
}

/** Delivers all messages in transit. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function failureOf(promise: Promise<unknown>): Promise<RequestError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RequestError) return error;
  throw new Error(`no RequestError but ${String(error)}`);
}

/** The first argument of an event. */
export function onceEvent(client: Client, event: "connect" | "disconnect" | "error" | "stop"): Promise<unknown> {
  return new Promise((resolve) => client.once(event, (...said: readonly unknown[]) => resolve(said[0])));
}

export function json(value: unknown): Uint8Array {
  return writeText(JSON.stringify(value) ?? "undefined");
}

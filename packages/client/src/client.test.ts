import { once } from "node:events";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
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
import { type DealerHandlers, type Frames, LinkError, type SendOutcome, type Transport } from "@pigato/transport";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { Client } from "./client.ts";
import type { ClientOptions } from "./options.ts";

type Request = Extract<FromClient, { readonly type: "request" }>;

const ADDRESS = "memory://broker";

/** The broker's end of the wire: answers heartbeats by itself, and requests as the test says. */
class FakeBroker {
  readonly messages: (FromClient | Violation)[] = [];
  readonly peers: string[] = [];
  onRequest: (request: Request) => void = () => {};
  readonly router: MemoryRouter;
  readonly #accepted = { ...NO_CAPABILITIES, cancel: true, error: true };
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

  /** Answers every request with its own data. */
  echo(): this {
    this.onRequest = (request) => this.#reply("final", request, request.body);
    return this;
  }

  /** Answers every request with these partials and this final. */
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

  final(request: Request, value: unknown, status = 0): void {
    this.#reply("final", request, [json(value)], status);
  }

  fail(request: Request, failure: Failure): void {
    this.send({ type: "failure", requestId: request.requestId, failure });
  }

  send(message: ToClient): void {
    this.sendFrames(pigato.encodeToClient(message, this.#accepted));
  }

  sendFrames(frames: readonly Uint8Array[]): void {
    this.router.send(this.#peer, frames);
  }

  #reply(type: "partial" | "final", { requestId }: Request, body: readonly Uint8Array[], status = 0): void {
    this.send({ type, requestId, status, body, trailer: [] });
  }
}

let network: MemoryNetwork;
let clock: FakeClock;
let clients: Client[];

beforeEach(() => {
  network = new MemoryNetwork({ auto: true });
  clock = new FakeClock();
  clients = [];
});

afterEach(async () => {
  const stops = clients.map((client) => client.stop());
  clock.advance(10_000);
  await Promise.all(stops);
});

function newClient(options: ClientOptions = {}, address: string | string[] = ADDRESS): Client {
  const client = new Client(address, { transport: network, clock, random: () => 0, ...options });
  clients.push(client);
  return client;
}

async function started(options: ClientOptions = {}): Promise<{ client: Client; broker: FakeBroker }> {
  const broker = await new FakeBroker(network).listen();
  const client = newClient(options);
  await client.start();
  return { client, broker };
}

/** Lets everything that is under way arrive. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function failureOf(promise: Promise<unknown>): Promise<RequestError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RequestError) return error;
  throw new Error(`no RequestError but ${String(error)}`);
}

/** The first thing that an event says. */
function onceEvent(client: Client, event: "connect" | "disconnect" | "error" | "stop"): Promise<unknown> {
  return new Promise((resolve) => client.once(event, (...said: readonly unknown[]) => resolve(said[0])));
}

/** What would have ended the process while `run` ran. */
async function uncaughtDuring(run: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  try {
    await run();
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
  return uncaught;
}

function json(value: unknown): Uint8Array {
  return writeText(JSON.stringify(value) ?? "undefined");
}

describe("call()", () => {
  test("resolves to the final value, whatever partials came before", async () => {
    const { client, broker } = await started();
    broker.answer([1, 2], { last: true });
    const answer = client.call<{ last: boolean }>("echo", "data");
    expectTypeOf(answer).toEqualTypeOf<Promise<{ last: boolean }>>();
    expect(await answer).toEqual({ last: true });
  });

  test.each([[0], [false], [""], [null], [undefined], ["snow ☃ and 𝄞"], [[1, { two: 2 }]]])(
    "carries %o there and back",
    async (data) => {
      const { client, broker } = await started();
      broker.echo();
      expect(await client.call("echo", data)).toEqual(data);
    },
  );

  test("carries a Buffer as the classic wire does", async () => {
    const { client, broker } = await started();
    broker.echo();
    expect(await client.call("echo", Buffer.from("hi"))).toEqual({ type: "Buffer", data: [104, 105] });
  });

  test("carries ten megabytes", async () => {
    const { client, broker } = await started();
    broker.echo();
    const data = "x".repeat(10 * 1024 * 1024);
    expect((await client.call("echo", data)) === data).toBe(true);
  });

  test("reaches services whose names are JavaScript's own or not ASCII", async () => {
    const { client, broker } = await started();
    broker.echo();
    for (const service of ["__proto__", "constructor", "größe"]) await client.call(service, 1);
    expect(broker.requests.map(({ service }) => service)).toEqual([
      "__proto__",
      "constructor",
      "gr\u00c3\u00b6\u00c3\u009fe",
    ]);
  });

  test("gives every request an id of its own, within a client and among clients", async () => {
    const { client, broker } = await started();
    broker.echo();
    const other = newClient();
    await Promise.all([client.call("a"), client.call("a"), other.start().then(() => other.call("a"))]);
    expect(new Set(broker.requests.map(({ requestId }) => requestId)).size).toBe(3);
  });

  test("sends the options as the classic wire has them, and the caller's own with them", async () => {
    const { client, broker } = await started({ timeout: 4_000, retry: 1 });
    broker.echo();
    await client.call("echo", 1);
    await client.call("echo", 1, { timeout: -1, retry: 0, workerId: "w1", tenant: "t1" });
    expect(broker.requests.map(({ trailer }) => trailer.map(readText))).toEqual([
      ['{"timeout":4000,"retry":1}'],
      ['{"timeout":-1,"retry":0,"workerId":"w1","tenant":"t1"}'],
    ]);
  });

  test("rejects with the broker's failure, which names the request", async () => {
    const { client, broker } = await started();
    const failure: Failure = { code: "UNAVAILABLE", message: "nobody", delivery: "queued", detail: "d" };
    broker.onRequest = (request) => broker.fail(request, failure);
    const error = await failureOf(client.call("größe", 1));
    expect(error).toMatchObject({ ...failure, service: "größe", requestId: broker.requests[0]?.requestId });
    expect(error.isRetrySafe).toBe(true);
  });

  test("rejects with the worker's own error", async () => {
    const { client, broker } = await started();
    broker.onRequest = (request) => broker.final(request, { name: "TypeError", message: "boom" }, -1);
    const error = await failureOf(client.call("echo"));
    expect(error).toMatchObject({ code: "WORKER_FAILED", message: "boom", detail: { name: "TypeError" } });
    expect(error.isRetrySafe).toBe(false);
  });

  test("rejects with INVALID when the reply cannot be read", async () => {
    const { client, broker } = await started();
    broker.onRequest = ({ requestId }) =>
      broker.send({ type: "final", requestId, status: 0, body: [writeText("{oops")], trailer: [] });
    expect(await failureOf(client.call("echo"))).toMatchObject({ code: "INVALID", delivery: "maybe-executed" });
  });

  test("rejects misuse at once, without sending anything", async () => {
    const { client, broker } = await started();
    await expect(client.call("")).rejects.toThrow("the service must be text of 1 to 255 bytes, not ''");
    await expect(client.call("echo", 1n)).rejects.toMatchObject({ name: "UsageError" });
    await expect(client.call("echo", 1, { timeout: Number.NaN })).rejects.toThrow("timeout must be");
    expect(broker.requests).toEqual([]);
  });
});

describe("collect()", () => {
  test("resolves to every chunk in order, a null in the middle too", async () => {
    const { client, broker } = await started();
    broker.answer([1, null, undefined, 2], 3);
    expect(await client.collect("echo")).toEqual([1, null, undefined, 2, 3]);
  });

  test("takes a final without a value as the mere end", async () => {
    const { client, broker } = await started();
    broker.answer([1], null);
    expect(await client.collect("echo")).toEqual([1]);
    broker.answer([], undefined);
    expect(await client.collect("echo")).toEqual([]);
    broker.answer([], 0);
    expect(await client.collect("echo")).toEqual([0]);
  });

  test("rejects when the request fails midway", async () => {
    const { client, broker } = await started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.final(request, "boom", -1);
    };
    expect(await failureOf(client.collect("echo"))).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
  });
});

describe("request() as a stream", () => {
  test("emits every chunk and then ends", async () => {
    const { client, broker } = await started();
    broker.answer(["a", 0, false, ""], { last: true });
    const stream = client.request("echo", "data");
    expectTypeOf(stream).toExtend<Readable>();
    const chunks: unknown[] = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    await once(stream, "end");
    expect(chunks).toEqual(["a", 0, false, "", { last: true }]);
  });

  test("can be iterated, and leaves out what a stream cannot carry", async () => {
    const { client, broker } = await started();
    broker.answer([1, null, undefined, 2], null);
    expect(await client.request("echo").toArray()).toEqual([1, 2]);
  });

  test("can be piped to a writable of bytes", async () => {
    const { client, broker } = await started();
    broker.answer(["one ", "two "], "three");
    let text = "";
    const output = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    await pipeline(client.request("my-service", "foo", { timeout: 120_000 }), output);
    expect(text).toBe("one two three");
  });

  test("fails with the request's error", async () => {
    const { client, broker } = await started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.final(request, "boom", -1);
    };
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of client.requestStream("echo")) chunks.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
  });

  test("cancels its request when it is destroyed", async () => {
    const { client, broker } = await started();
    const stream = client.request("echo");
    await settled();
    stream.destroy();
    await once(stream, "close");
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("cancels its request when a for await is left", async () => {
    const { client, broker } = await started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.partial(request, 2);
    };
    for await (const chunk of client.request("echo")) {
      expect(chunk).toBe(1);
      break;
    }
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("may be destroyed by whoever sees the last chunk", async () => {
    const { client, broker } = await started();
    broker.answer([], "last");
    const stream = client.request("echo");
    stream.on("data", () => stream.destroy());
    await once(stream, "close");
    await settled();
    expect(broker.typesSeen()).toEqual(["request"]);
  });

  test("passes on its heartbeats", async () => {
    const { client, broker } = await started();
    const stream = client.request("echo");
    stream.heartbeat();
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "request-heartbeat"]);
    stream.destroy();
  });
});

describe("request() with callbacks", () => {
  test("tells each partial, and once the final", async () => {
    const { client, broker } = await started();
    broker.answer([1, null], "last");
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const returned = client.request(
        "echo",
        "data",
        (error, value) => heard.push(["partial", error, value]),
        (error, value) => {
          heard.push(["final", error, value]);
          resolve();
        },
        { timeout: 30_000 },
      );
      expect(returned).toBeUndefined();
    });
    expect(heard).toEqual([
      ["partial", null, 1],
      ["partial", null, null],
      ["final", null, "last"],
    ]);
    expect(broker.requests[0]?.options.timeoutMs).toBe(30_000);
  });

  test("may leave out either callback", async () => {
    const { client, broker } = await started();
    broker.answer([["w0"]], ["w1", "w2"]);
    const workers = await new Promise((resolve) => {
      client.request<string[]>("$dir", "echo", undefined, (_error, value) => resolve(value));
    });
    expect(workers).toEqual(["w1", "w2"]);
    const partial = await new Promise((resolve) => {
      client.request("echo", "data", (_error, value) => resolve(value));
    });
    expect(partial).toEqual(["w0"]);
    expect(client.request("echo", "data", undefined, undefined)).toBeUndefined();
  });

  test("tells the failure to the final callback alone", async () => {
    const { client, broker } = await started();
    broker.onRequest = (request) => broker.final(request, "boom", -1);
    const onPartial = vi.fn();
    const [error, value] = await new Promise<unknown[]>((resolve) => {
      client.request("echo", "data", onPartial, (...heard) => resolve(heard));
    });
    expect(error).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
    expect(value).toBeNull();
    expect(onPartial).not.toHaveBeenCalled();
  });

  test("never calls back before it has returned", async () => {
    const { client } = await started({ maxOpenRequests: 1 });
    void client.call("echo").catch(() => {});
    const onFinal = vi.fn();
    client.request("echo", 1, undefined, onFinal);
    expect(onFinal).not.toHaveBeenCalled();
    await settled();
    expect(onFinal.mock.calls).toEqual([[expect.objectContaining({ code: "BUSY", delivery: "not-sent" }), null]]);
  });

  test("goes on serving everybody when a callback throws", async () => {
    const { client, broker } = await started();
    broker.answer([1], 2);
    const uncaught = await uncaughtDuring(async () => {
      const onFinal = vi.fn(() => {
        throw new Error("final threw");
      });
      client.request(
        "echo",
        1,
        () => {
          throw new Error("partial threw");
        },
        onFinal,
      );
      expect(await client.collect("echo")).toEqual([1, 2]);
      expect(onFinal).toHaveBeenCalledOnce();
      await settled();
    });
    expect(uncaught.map(String)).toEqual(["Error: partial threw", "Error: final threw"]);
  });

  test("may make the next request from within a callback", async () => {
    const { client, broker } = await started();
    broker.echo();
    const second = await new Promise((resolve) => {
      client.request("echo", 1, undefined, () => {
        client.request("echo", 2, undefined, (_error, value) => resolve(value));
      });
    });
    expect(second).toBe(2);
  });

  test("refuses what is neither callbacks nor options", async () => {
    const { client } = await started();
    const loose: { request(...args: unknown[]): unknown } = client;
    expect(() => loose.request("echo", 1, "soon")).toThrow("the options of a request must be an object, not 'soon'");
    expect(() => loose.request("echo", 1, {}, () => {})).toThrow("the partial callback must be a function, not {}");
    expect(() => loose.request("echo", 1, () => {}, {})).toThrow("the final callback must be a function, not {}");
    expect(() => loose.request(7)).toThrow("the service must be text");
  });
});

describe("an AbortSignal", () => {
  test("ends the request, here and at the broker", async () => {
    const { client, broker } = await started();
    const controller = new AbortController();
    const answer = client.call("echo", 1, { signal: controller.signal });
    await settled();
    controller.abort("enough");
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "CANCELED", delivery: "maybe-executed", detail: "enough" });
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("that has aborted already keeps the request from being sent", async () => {
    const { client, broker } = await started();
    const answer = client.call("echo", 1, { signal: AbortSignal.abort() });
    expect(await failureOf(answer)).toMatchObject({ code: "CANCELED", delivery: "not-sent" });
    expect(broker.requests).toEqual([]);
  });

  test("is let go of at the end of the request", async () => {
    const { client, broker } = await started();
    broker.echo();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    await client.call("echo", 1, { signal });
    expect(remove).toHaveBeenCalledOnce();
  });

  test("fails a stream", async () => {
    const { client } = await started();
    const controller = new AbortController();
    const stream = client.request("echo", 1, { signal: controller.signal });
    controller.abort();
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: "CANCELED" });
  });
});

describe("a timeout", () => {
  test("fails the request when its broker says nothing in the grace either", async () => {
    const { client, broker } = await started();
    const answer = client.call("echo", 1, { timeout: 500 });
    await settled();
    clock.advance(700);
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "maybe-executed" });
    expect(error.message).toMatch(/^request \S+ to "echo" exceeded its 500 ms timeout$/);
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("fails a request that no broker ever took, which is safe to retry", async () => {
    const client = newClient();
    void client.start().catch(() => {});
    const answer = client.call("echo", 1, { timeout: 500 });
    clock.advance(500);
    expect(await failureOf(answer)).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
  });

  test("makes a late reply nobody's", async () => {
    const { client, broker } = await started();
    const onError = vi.fn();
    client.on("error", onError);
    const answer = client.call("echo", 1, { timeout: 500 });
    await settled();
    clock.advance(700);
    await failureOf(answer);
    for (const request of broker.requests) {
      broker.partial(request, 1);
      broker.final(request, 2);
    }
    broker.echo();
    expect(await client.call("echo", 3)).toBe(3);
    expect(onError).not.toHaveBeenCalled();
  });
});

describe("start()", () => {
  test("resolves when a broker has answered, however late it comes", async () => {
    const client = newClient();
    const onStarted = vi.fn();
    const started = client.start().then(onStarted);
    clock.advance(60_000);
    await settled();
    expect(onStarted).not.toHaveBeenCalled();
    await new FakeBroker(network).listen();
    await started;
  });

  test("sends what was asked for before it, or while it goes on", async () => {
    const broker = await new FakeBroker(network).listen();
    broker.echo();
    const client = newClient();
    const answers = [client.call("echo", 1)];
    void client.start();
    answers.push(client.call("echo", 2));
    expect(await Promise.all(answers)).toEqual([1, 2]);
  });

  test("is harmless twice, and takes a callback", async () => {
    await new FakeBroker(network).listen();
    const client = newClient();
    const onConnect = vi.fn();
    client.on("connect", onConnect);
    const first = client.start();
    expect(client.start()).toBe(first);
    await new Promise<void>((resolve) => {
      void client.start((error) => {
        expect(error).toBeUndefined();
        resolve();
      });
    });
    expect(onConnect).toHaveBeenCalledOnce();
  });

  test("rejects when the client is stopped first, and need not be awaited", async () => {
    const client = newClient();
    void client.start();
    const onStarted = vi.fn();
    const start = client.start(onStarted);
    await client.stop();
    await expect(start).rejects.toMatchObject({ code: "CLOSED" });
    expect(onStarted).toHaveBeenCalledWith(expect.objectContaining({ code: "CLOSED" }));
  });

  test("happens by itself with autostart, and the classic listeners hear of it", async () => {
    await new FakeBroker(network).listen();
    const heard: string[] = [];
    const client = newClient({
      autostart: true,
      onStart: () => heard.push("start"),
      onConnect: () => heard.push("connect"),
      onDisconnect: () => heard.push("disconnect"),
      onStop: () => heard.push("stop"),
    });
    await client.start();
    await client.stop();
    expect(heard).toEqual(["start", "connect", "disconnect", "stop"]);
  });

  test("names itself by its prefix, anew in every life of the connection", async () => {
    const { client, broker } = await started({ prefix: "Cä" });
    const disconnected = onceEvent(client, "disconnect");
    network.cut(ADDRESS);
    await disconnected;
    const connected = onceEvent(client, "connect");
    clock.advance(1_000);
    await connected;
    expect(broker.peers).toHaveLength(2);
    expect(new Set(broker.peers).size).toBe(2);
    for (const peer of broker.peers) expect(peer).toMatch(/^C\u00c3\u00a4-[\w-]{21}$/);
  });

  test("tells of an address that its transport cannot read, and goes on to the next", async () => {
    await new FakeBroker(network).listen();
    const transport: Transport = {
      router: (handlers) => network.router(handlers),
      dealer: (handlers, options) => {
        const link = network.dealer(handlers, options);
        const connect = (address: string): void => {
          if (address === "odd://one") throw new Error("no such scheme");
          link.connect(address);
        };
        return { connect, send: (frames) => link.send(frames), close: () => link.close() };
      },
    };
    const client = newClient({ transport }, ["odd://one", ADDRESS]);
    const failed = onceEvent(client, "error");
    const start = client.start();
    expect(await failed).toMatchObject({ message: "cannot connect to odd://one: Error: no such scheme" });
    clock.advance(1_000);
    await start;
  });
});

describe("a lost broker", () => {
  test("fails what cannot be sent twice, and gets the rest again", async () => {
    const { client, broker } = await started();
    const once = client.call("echo", 1);
    const again = client.call("echo", 2, { retry: true });
    await settled();
    network.cut(ADDRESS);
    expect(await failureOf(once)).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
    broker.echo();
    clock.advance(1_000);
    expect(await again).toBe(2);
    const [, second, third] = broker.requests;
    expect(third?.requestId).toBe(second?.requestId);
  });

  test("is left for another that is there", async () => {
    const first = await new FakeBroker(network).listen("memory://first");
    const second = await new FakeBroker(network).listen("memory://second");
    second.echo();
    const client = newClient({}, ["memory://first", "memory://second"]);
    await client.start();
    await first.router.close();
    await settled();
    const answer = client.call("echo", 1);
    clock.advance(1_000);
    expect(await answer).toBe(1);
  });

  test("that says nothing any more counts as lost after three intervals", async () => {
    const { client, broker } = await started({ heartbeat: 100 });
    const reason = onceEvent(client, "disconnect");
    for (const peer of broker.peers) broker.router.congested.add(peer);
    clock.advance(300);
    expect(await reason).toBe("silence");
  });
});

describe("a link", () => {
  /** The memory network, with a hand on what its dealers answer: what they then take goes nowhere. */
  function watched(): { transport: Transport; handlers: DealerHandlers[]; outcomes: SendOutcome[]; taken: Frames[] } {
    const handlers: DealerHandlers[] = [];
    const outcomes: SendOutcome[] = [];
    const taken: Frames[] = [];
    const dealer: Transport["dealer"] = (own, options) => {
      handlers.push(own);
      const link = network.dealer(own, options);
      const send = (frames: Frames): SendOutcome => {
        const outcome = outcomes.shift();
        if (outcome === undefined) return link.send(frames);
        taken.push(frames);
        return outcome;
      };
      return { connect: (address) => link.connect(address), send, close: () => link.close() };
    };
    return { transport: { router: (own) => network.router(own), dealer }, handlers, outcomes, taken };
  }

  test("that is full fails the request, and not from within the call", async () => {
    const { transport, outcomes } = watched();
    const { client } = await started({ transport });
    outcomes.push("congested");
    const onFinal = vi.fn();
    client.request("echo", 1, undefined, onFinal);
    expect(onFinal).not.toHaveBeenCalled();
    await settled();
    expect(onFinal.mock.calls).toEqual([[expect.objectContaining({ code: "BUSY", delivery: "not-sent" }), null]]);
  });

  test("that is merely slow carries the request", async () => {
    const { transport, outcomes } = watched();
    const { client } = await started({ transport });
    outcomes.push("slow");
    const answer = client.call("echo", 1, { timeout: 100 });
    clock.advance(300);
    expect(await failureOf(answer)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test("that gives a request back carries it with the next heartbeat", async () => {
    const { transport, handlers, outcomes, taken } = watched();
    const { client, broker } = await started({ transport });
    broker.echo();
    outcomes.push("queued");
    const answer = client.call("echo", 1);
    for (const frames of taken) handlers[0]?.onUndelivered?.(frames);
    clock.advance(2_500);
    expect(await answer).toBe(1);
  });

  test("that fails is told of, and replaced", async () => {
    const { transport, handlers } = watched();
    const { client, broker } = await started({ transport });
    broker.echo();
    const failed = onceEvent(client, "error");
    handlers[0]?.onError?.(new LinkError("FAILED", "the socket broke"));
    expect(await failed).toMatchObject({ message: "the socket broke" });
    const answer = client.call("echo", 1);
    clock.advance(1_000);
    expect(await answer).toBe(1);
  });

  test("of an earlier life has no say any more", async () => {
    const { transport, handlers } = watched();
    const { client, broker } = await started({ transport });
    network.cut(ADDRESS);
    clock.advance(1_000);
    await settled();
    broker.echo();
    const onDisconnect = vi.fn();
    client.on("disconnect", onDisconnect);
    handlers[0]?.onDown?.();
    handlers[0]?.onUp?.({});
    handlers[0]?.onMessage([]);
    expect(await client.call("echo", 1)).toBe(1);
    expect(onDisconnect).not.toHaveBeenCalled();
  });
});

describe("stop()", () => {
  test("waits for what is open, takes nothing new, and says goodbye", async () => {
    const { client, broker } = await started();
    const answer = client.call("echo", 1);
    await settled();
    const stop = client.stop();
    expect(await failureOf(client.call("echo", 2))).toMatchObject({ code: "CLOSED", delivery: "not-sent" });
    for (const request of broker.requests) broker.final(request, "done");
    expect(await answer).toBe("done");
    await stop;
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "disconnect"]);
  });

  test("fails what is still open when its time is up", async () => {
    const { client } = await started({ stopTimeoutMs: 1_000 });
    const answer = client.call("echo", 1);
    await settled();
    const stop = client.stop();
    clock.advance(1_000);
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "CLOSED", delivery: "maybe-executed" });
    await stop;
  });

  test("is safe twice, and before any start", async () => {
    const client = newClient();
    const answer = client.call("echo", 1);
    await Promise.all([client.stop(), client.stop()]);
    await client.stop();
    expect(await failureOf(answer)).toMatchObject({ code: "CLOSED", delivery: "not-sent" });
  });

  test("leaves a client that can be started again", async () => {
    const { client, broker } = await started();
    broker.echo();
    await client.stop();
    expect(await failureOf(client.call("echo", 1))).toMatchObject({ code: "CLOSED" });
    await client.start();
    expect(await client.call("echo", 2)).toBe(2);
  });

  test("is followed by a start that was asked for meanwhile, unless stopped again", async () => {
    const { client, broker } = await started();
    broker.echo();
    void client.stop();
    await client.start();
    expect(await client.call("echo", 1)).toBe(1);
    void client.stop();
    const start = client.start();
    await client.stop();
    await expect(start).rejects.toMatchObject({ code: "CLOSED" });
    expect(await failureOf(client.call("echo", 2))).toMatchObject({ code: "CLOSED" });
  });

  test("leaves nothing to wake up for", async () => {
    const { client } = await started();
    const alarms = vi.spyOn(clock, "now");
    await client.stop();
    alarms.mockClear();
    clock.advance(60_000);
    expect(alarms).not.toHaveBeenCalled();
  });

  test("happens at the end of an await using", async () => {
    const { client } = await started();
    const stopped = onceEvent(client, "stop");
    await client[Symbol.asyncDispose]();
    await stopped;
  });
});

describe("a broker that breaks the protocol", () => {
  test("is told of, and fails nobody", async () => {
    const { client, broker } = await started();
    broker.echo();
    const failed = onceEvent(client, "error");
    broker.sendFrames([writeText("X"), writeText("?")]);
    expect(await failed).toMatchObject({ message: expect.stringMatching(/^the broker broke P-MSG-1: /) });
    broker.sendFrames([]);
    broker.sendFrames([writeText("C"), writeText("3")]);
    expect(await client.call("echo", 1)).toBe(1);
  });
});

describe("a listener that throws", () => {
  test("does not keep the client from its work", async () => {
    const broker = await new FakeBroker(network).listen();
    broker.echo();
    const client = newClient({
      onConnect: () => {
        throw new Error("listener threw");
      },
    });
    const uncaught = await uncaughtDuring(async () => {
      const answer = client.call("echo", 1);
      await client.start();
      expect(await answer).toBe(1);
      await settled();
    });
    expect(uncaught.map(String)).toEqual(["Error: listener threw"]);
  });
});

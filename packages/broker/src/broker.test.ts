// The shell around the core, over a network in memory and a clock that the test moves.

import { readText, serviceNameFromText, writeText } from "@pigato/protocol";
import { FakeClock, type MemoryDealer, MemoryNetwork, type MemoryRouter, uncaughtErrors } from "@pigato/testkit";
import { LinkError, type Transport, toBytes } from "@pigato/transport";
import { beforeEach, describe, expect, test } from "vitest";
import { Broker } from "./broker.ts";
import type { StoredRequest } from "./core/stored-request.ts";
import type { BrokerOptions } from "./options.ts";
import { MemoryStore } from "./store.ts";

const ADDRESS = "memory://broker";

let network: MemoryNetwork;
let clock: FakeClock;
let router: MemoryRouter | undefined;

beforeEach(() => {
  network = new MemoryNetwork();
  clock = new FakeClock();
});

describe("start and stop", () => {
  test("report by promise, callback, event and option", async () => {
    const reported: string[] = [];
    const broker = newBroker({ onStart: () => reported.push("onStart"), onStop: () => reported.push("onStop") });
    broker.on("start", () => reported.push("start")).on("stop", () => reported.push("stop"));
    await broker.start((error) => reported.push(`started ${error}`));
    expect(broker.addresses).toEqual([ADDRESS]);
    await broker.stop(() => reported.push("stopped"));
    expect(reported).toEqual(["start", "onStart", "started undefined", "stop", "onStop", "stopped"]);
    expect(broker.addresses).toEqual([]);
  });

  test("may each be called twice", async () => {
    const broker = newBroker();
    let starts = 0;
    let stops = 0;
    broker.on("start", () => starts++).on("stop", () => stops++);
    await Promise.all([broker.start(), broker.start()]);
    await Promise.all([broker.stop(), broker.stop()]);
    await broker.stop();
    expect([starts, stops]).toEqual([1, 1]);
  });

  test("may follow each other in any order without waiting", async () => {
    const broker = newBroker();
    void broker.start();
    void broker.stop();
    await broker.start();
    expect(broker.addresses).toEqual([ADDRESS]);
    await broker.stop();
  });

  test("leave no state for the next start", async () => {
    const broker = newBroker();
    await broker.start();
    connect("w1").send("W", "1", "echo");
    network.deliver();
    expect(broker.stats()).toMatchObject({ workers: 1 });
    await broker.stop();
    await broker.start();
    expect(broker.stats()).toMatchObject({ workers: 0, services: 0 });
    await broker.stop();
  });

  test("an address in use rejects, calls the callback, and frees the addresses that were bound before", async () => {
    const other = newBroker();
    await other.start();
    const broker = new Broker(["memory://free", ADDRESS], { transport: network, clock });
    const reported: unknown[] = [];
    await expect(broker.start((error) => reported.push(error))).rejects.toThrow(LinkError);
    expect(reported).toEqual([expect.any(LinkError)]);
    expect(broker.addresses).toEqual([]);
    const third = new Broker("memory://free", { transport: network, clock });
    await third.start();
    await Promise.all([third.stop(), other.stop(), broker.stop()]);
  });

  test("an error of start() shows its call in the stack", async () => {
    const other = newBroker({ intch: "memory://channel" });
    await other.start();
    const failures: readonly [string, string][] = [
      [ADDRESS, "memory://free"],
      ["memory://free", "memory://channel"],
    ];
    for (const [address, intch] of failures) {
      const failing = new Broker(address, { transport: network, clock, intch });
      const starting = (): Promise<unknown> => failing.start().catch((error: unknown) => error);
      expect(await starting()).toMatchObject({
        code: "ADDRESS_IN_USE",
        stack: expect.stringContaining("at starting ("),
      });
    }
    await other.stop();
  });

  test("a broker without an address is rejected", () => {
    expect(() => new Broker([])).toThrow(/at least one address/);
    expect(() => new Broker("")).toThrow(/at least one address/);
  });

  test("asyncDispose stops the broker", async () => {
    const broker = newBroker();
    await broker.start();
    await broker[Symbol.asyncDispose]();
    expect(broker.addresses).toEqual([]);
  });
});

describe("stopping with open requests", () => {
  test("finishes a running request, rejects new ones, and disconnects the worker", async () => {
    const { broker, w1, c1 } = await served();
    request(c1, "r1");
    network.deliver();
    const stopped = broker.stop();
    await settled();
    request(c1, "r2");
    network.deliver();
    expect(c1.received).toContainEqual(["C", "3", "", "r2", "-1", '"CLOSED"']);
    w1.send("W", "3", w1.last()[2] ?? "", "", "r1", "0", '"done"', "{}");
    network.deliver();
    await stopped;
    network.deliver();
    expect(c1.received).toContainEqual(["C", "3", "", "r1", "0", '"done"', "{}"]);
    expect(w1.last()).toEqual(["W", "5"]);
  });

  test("fails the requests that still run at the limit", async () => {
    const { broker, c1 } = await served({ stopTimeoutMs: 500 });
    request(c1, "r1");
    network.deliver();
    const stopped = broker.stop();
    await settled();
    clock.advance(500);
    await stopped;
    network.deliver();
    expect(c1.last()).toEqual(["C", "3", "", "r1", "-1", '"CLOSED"']);
  });
});

describe("events", () => {
  test("a reply from the cache is reported and counted", async () => {
    const { broker, w1, c1 } = await served({}, "w1", "échö");
    const reported: unknown[] = [];
    broker.on("request:cached", (event) => reported.push(event));
    request(c1, "r1", "échö");
    network.deliver();
    w1.send("W", "3", w1.last()[2] ?? "", "", "r1", "0", '"done"', '{"cache":1000}');
    network.deliver();
    request(c1, "r2", "échö");
    network.deliver();
    expect(c1.last()).toEqual(["C", "3", "", "r2", "0", '"done"', '{"cache":1000}']);
    expect(reported).toEqual([{ client: "c1", service: "échö", requestId: "r2" }]);
    expect(broker.stats()).toMatchObject({ finished: 2, cached: 1, cachedReplies: 1 });
    clock.advance(1000);
    expect(broker.stats()).toMatchObject({ cachedReplies: 0 });
    await broker.stop();
  });

  test("a lost worker and its failed request are reported, with names as text", async () => {
    const { broker, w1, c1 } = await served({}, "wörker", "échö");
    const reported: unknown[] = [];
    broker.on("worker:leave", (event) => reported.push(event));
    broker.on("request:failed", (event) => reported.push(event));
    request(c1, "r1", "échö");
    network.deliver();
    void w1.dealer.close();
    network.deliver();
    expect(reported).toEqual([
      { worker: "wörker", service: "échö", reason: "gone" },
      { client: "c1", service: "échö", requestId: "r1", code: "WORKER_LOST" },
    ]);
    await broker.stop();
  });

  test("a frame in no known dialect is a violation, and the broker continues", async () => {
    const { broker, c1 } = await served();
    const reported: unknown[] = [];
    broker.on("violation", (event) => reported.push(event));
    c1.send("X", "what");
    c1.send();
    network.deliver();
    expect(reported).toEqual([
      expect.objectContaining({ peer: "c1", clause: "P-MSG-1" }),
      expect.objectContaining({ peer: "c1", clause: "P-MSG-1" }),
    ]);
    c1.send("C", "4");
    network.deliver();
    expect(c1.last()).toEqual(["C", "4"]);
    await broker.stop();
  });

  test("a flood of violations is limited in the log, and not as events", async () => {
    const lines: unknown[] = [];
    const logger = { debug() {}, info() {}, warn: (fields: unknown) => lines.push(fields), error() {} };
    const { broker, c1 } = await served({ logger });
    let violations = 0;
    broker.on("violation", () => {
      violations += 1;
    });
    for (let sent = 0; sent < 250; sent++) c1.send("X");
    network.deliver();
    expect([violations, lines.length]).toEqual([250, 100]);
    clock.advance(60_000);
    c1.send("X");
    network.deliver();
    expect(lines.at(-1)).toMatchObject({ clause: "P-MSG-1", omitted: 150 });
    await broker.stop();
  });

  test("a silent worker is disconnected when the alarm rings", async () => {
    const { broker, w1 } = await served({ heartbeat: 1000 });
    clock.advance(10_000);
    network.deliver();
    expect(w1.last()).toEqual(["W", "5"]);
    expect(broker.stats()).toMatchObject({ workers: 0 });
    await broker.stop();
  });
});

describe("a message that cannot be sent", () => {
  test("to a congested client fails its request, and the failure is urgent", async () => {
    const { broker, w1, c1 } = await served();
    request(c1, "r1");
    network.deliver();
    router?.congested.add("c1");
    w1.send("W", "6", w1.last()[2] ?? "", "", "r1", "0", '"part"', "{}");
    network.deliver();
    expect(broker.stats()).toMatchObject({ open: 0, failed: 1 });
    await broker.stop();
  });

  test("of a cached reply ends the reply: no later partial is sent", async () => {
    const { broker, w1, c1 } = await served();
    request(c1, "r1");
    network.deliver();
    const address = w1.last()[2] ?? "";
    w1.send("W", "6", address, "", "r1", "0", '"part"', '{"cache":1000}');
    w1.send("W", "3", address, "", "r1", "0", '"end"', '{"cache":1000}');
    network.deliver();
    refuse((frames) => frames[1] === "6");
    request(c1, "r2");
    network.deliver();
    expect(c1.last()).toEqual(["C", "3", "", "r2", "-1", '"BUSY"']);
    expect(c1.received.filter((frames) => frames[3] === "r2")).toHaveLength(1);
    await broker.stop();
  });

  test("to a lost worker is requeued, even without retry", async () => {
    const { broker, w1, c1 } = await served();
    const reported: unknown[] = [];
    broker.on("request:requeued", (event) => reported.push(event));
    broker.on("worker:leave", (event) => reported.push(event));
    router?.forget("w1");
    const w2 = connect("w2");
    w2.send("W", "1", "echo");
    w2.send("W", "4", "", "{}");
    network.deliver();
    request(c1, "r1");
    request(c1, "r2");
    network.deliver();
    expect(reported).toEqual([
      { worker: "w1", service: "echo", reason: "gone" },
      { service: "echo", requestId: "r1", worker: "w1" },
    ]);
    expect(w1.received.filter(isRequest)).toEqual([]);
    expect(w2.received.filter(isRequest)).toHaveLength(2);
    void broker.stop();
  });
});

test("all requests that did not reach a lost worker are requeued", async () => {
  const broker = newBroker();
  await broker.start();
  const w1 = connect("w1");
  const c1 = connect("c1");
  network.deliver();
  w1.send("W", "1", "echo");
  request(c1, "r1");
  request(c1, "r2");
  network.deliver();
  router?.forget("w1");
  clock.advance(100);
  network.deliver();
  expect(broker.stats()).toMatchObject({ workers: 0, failed: 0, open: 2 });
  void broker.stop();
});

describe("a store", () => {
  /** Stores requests in memory and reports when the test calls it, or throws. */
  class SlowStore extends MemoryStore {
    readonly #gates: (() => void)[] = [];
    isBroken = false;

    override async set(key: string, stored: StoredRequest): Promise<void> {
      if (this.isBroken) throw new Error("the disk is full");
      await new Promise<void>((resolve) => this.#gates.push(resolve));
      await super.set(key, stored);
    }

    async open(): Promise<void> {
      for (const gate of this.#gates.splice(0)) gate();
      await settled();
      network.deliver();
    }

    async size(): Promise<number> {
      return [...(await this.all())].length;
    }
  }

  test("holds a request before it is dispatched, until its reply is delivered", async () => {
    const store = new SlowStore();
    const { broker, w1, c1 } = await served({ store });
    c1.send("C", "2", "echo", "r1", '"data"', '{"persist":1}');
    network.deliver();
    expect(w1.received.filter(isRequest)).toEqual([]);
    await store.open();
    expect(w1.received.filter(isRequest)).toHaveLength(1);
    expect(await store.size()).toBe(1);
    w1.send("W", "3", w1.last()[2] ?? "", "", "r1", "0", '"done"', "{}");
    network.deliver();
    await settled();
    expect(await store.size()).toBe(0);
    await broker.stop();
  });

  test("that fails is reported, and the client gets a failure", async () => {
    const store = new SlowStore();
    store.isBroken = true;
    const { broker, c1 } = await served({ store });
    const reported: unknown[] = [];
    broker.on("store:failed", (event) => reported.push(event));
    c1.send("C", "2", "echo", "r1", '"data"', '{"persist":1}');
    network.deliver();
    await settled();
    network.deliver();
    expect(c1.last()).toEqual(["C", "3", "", "r1", "-1", '"UNAVAILABLE"']);
    expect(reported).toMatchObject([{ operation: "store", reason: "the disk is full" }]);
    await broker.stop();
  });

  test("that cannot be read fails the start", async () => {
    const store = new MemoryStore();
    store.all = () => Promise.reject(new Error("no such disk"));
    const broker = newBroker({ store });
    await expect(broker.start()).rejects.toThrow("no such disk");
    const request = { version: 2, client: "c1" };
    store.all = async () => [given(["1", request])];
    await expect(broker.start()).rejects.toThrow(/"1" is no request that this version of the broker can read/);
    expect(broker.addresses).toEqual([]);
  });

  test("that never settles delays a stop no longer than stopTimeoutMs", async () => {
    const store = new SlowStore();
    const { broker, c1 } = await served({ store, stopTimeoutMs: 500 });
    c1.send("C", "2", "echo", "r1", '"data"', '{"persist":1}');
    network.deliver();
    const stopped = broker.stop();
    await settled();
    clock.advance(500);
    await settled();
    clock.advance(500);
    await stopped;
    expect(broker.addresses).toEqual([]);
  });

  test("of its own keeps requests over a stop and start of the broker", async () => {
    const broker = newBroker();
    await broker.start();
    const c1 = connect("c1");
    network.deliver();
    c1.send("C", "2", "echo", "r1", '"data"', '{"persist":1}');
    network.deliver();
    await settled();
    await broker.stop();
    const reported: unknown[] = [];
    broker.on("request:restored", (event) => reported.push(event));
    await broker.start();
    expect(reported).toEqual([{ client: "c1", service: "echo", requestId: "r1" }]);
    expect(broker.stats()).toMatchObject({ open: 1 });
    void broker.stop();
  });

  /** Values that a user's store may return. */
  function given<Value>(value: unknown): Value;
  function given(value: unknown): unknown {
    return value;
  }
});

/** A raw peer that sends and receives text. */
describe("the internal channel", () => {
  test("is bound as conf says, and announces workers that join and leave", async () => {
    const broker = newBroker();
    const reported = listen(String(broker.conf.intch));
    await broker.start();
    network.deliver();
    clock.advance(1);
    network.deliver();
    connect("w1").send("W", "1", "echo");
    network.deliver();
    clock.advance(1);
    network.deliver();
    expect(reported).toEqual(["$dir {}", '$dir {"echo":["w1"]}']);
    await broker.stop();
  });

  test("sends the directory to a late subscriber at once", async () => {
    const broker = newBroker({ intch: "memory://channel" });
    await broker.start();
    clock.advance(1);
    const reported = listen("memory://channel");
    network.deliver();
    expect(reported).toEqual(["$dir {}"]);
    await broker.stop();
  });

  test("that is in use fails the start, and frees the addresses that were bound before", async () => {
    const first = new Broker("memory://first", { transport: network, clock, intch: "memory://channel" });
    await first.start();
    const second = newBroker({ intch: "memory://channel" });
    await expect(second.start()).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    const third = newBroker({ intch: false });
    await third.start();
    expect(third.conf.intch).toBe(false);
    await Promise.all([first.stop(), third.stop()]);
  });

  test("is free for the next start", async () => {
    const broker = newBroker({ intch: "memory://channel" });
    await broker.start();
    await broker.stop();
    await broker.start();
    await broker.stop();
  });
});

describe("a callback that throws", () => {
  let uncaught: readonly Error[] = [];
  const fail = (): never => {
    throw new Error("thrown on purpose");
  };

  beforeEach(() => {
    uncaught = uncaughtErrors();
  });

  /** Checks that the broker still serves, and that the exception was uncaught. */
  async function expectServed(broker: Broker, { w1, c1 }: { readonly w1: Peer; readonly c1: Peer }): Promise<void> {
    request(c1, "after");
    network.deliver();
    w1.send("W", "3", w1.last()[2] ?? "", "", "after", "0", '"done"');
    network.deliver();
    expect(c1.last()).toEqual(["C", "3", "", "after", "0", '"done"']);
    await broker.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(new Set(uncaught.map(({ message }) => message))).toEqual(new Set(["thrown on purpose"]));
  }

  test("as a logger keeps no event from being emitted", async () => {
    const { broker, ...peers } = await served({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    const joined: string[] = [];
    broker.on("worker:join", ({ worker }) => joined.push(worker));
    connect("w2").send("W", "1", "echo2");
    network.deliver();
    expect(joined).toEqual(["w2"]);
    await expectServed(broker, peers);
  });

  test("as onStart or onStop fails neither start nor stop", async () => {
    const { broker, ...peers } = await served({ onStart: fail, onStop: fail });
    await expectServed(broker, peers);
  });

  test("as the callback of start or stop fails neither", async () => {
    const { broker, ...peers } = await served();
    await broker.start(fail);
    await expectServed(broker, peers);
    await broker.stop(fail);
    await new Promise((resolve) => setImmediate(resolve));
    expect(uncaught).toHaveLength(2);
  });

  test("as a clock loses no input", async () => {
    const { broker, ...peers } = await served();
    const now = clock.now.bind(clock);
    clock.now = fail;
    request(peers.c1, "during");
    network.deliver();
    clock.now = now;
    peers.w1.send("W", "3", peers.w1.last()[2] ?? "", "", "during", "0", '"done"');
    network.deliver();
    expect(peers.c1.last()).toEqual(["C", "3", "", "during", "0", '"done"']);
    await expectServed(broker, peers);
  });

  test("as a store counts as a store that rejects", async () => {
    const store = Object.assign(new MemoryStore(), { set: fail });
    const { broker, ...peers } = await served({ store });
    const failed: string[] = [];
    broker.on("store:failed", ({ reason }) => failed.push(reason));
    peers.c1.send("C", "2", "echo", "stored", '"data"', '{"persist":1}');
    network.deliver();
    await settled();
    expect(failed).toEqual(["thrown on purpose"]);
    request(peers.c1, "after");
    network.deliver();
    expect(peers.w1.last().slice(5, 7)).toEqual(["after", '"data"']);
  });
});

function listen(address: string): string[] {
  const reported: string[] = [];
  const subscriber = network.subscriber({ onMessage: ([frame]) => reported.push(readText(frame ?? Buffer.of())) });
  subscriber.subscribe("$dir ");
  subscriber.connect(address);
  return reported;
}

interface Peer {
  readonly dealer: MemoryDealer;
  readonly received: string[][];
  last(): string[];
  send(...frames: string[]): void;
}

function newBroker(options: BrokerOptions = {}): Broker {
  const transport: Transport = {
    router: (handlers) => {
      router = network.router(handlers);
      return router;
    },
    dealer: (handlers, dealerOptions) => network.dealer(handlers, dealerOptions),
    publisher: () => network.publisher(),
    subscriber: (handlers) => network.subscriber(handlers),
  };
  return new Broker(ADDRESS, { transport, clock, ...options });
}

/** Makes the broker's link reject some messages, as a full link does that still has room for others. */
function refuse(isRefused: (frames: readonly string[]) => boolean): void {
  if (router === undefined) throw new Error("there is no broker yet");
  const send = router.send.bind(router);
  router.send = (peer, frames) => (isRefused(toBytes(frames).map(readText)) ? "congested" : send(peer, frames));
}

/** A broker with one classic worker and one classic client. */
async function served(
  options: BrokerOptions = {},
  workerId = "w1",
  service = "echo",
): Promise<{ broker: Broker; w1: Peer; c1: Peer }> {
  const broker = newBroker(options);
  await broker.start();
  const w1 = connect(workerId);
  w1.send("W", "1", service);
  w1.send("W", "4", "", '{"concurrency":100}');
  const c1 = connect("c1");
  network.deliver();
  return { broker, w1, c1 };
}

function connect(id: string): Peer {
  const received: string[][] = [];
  const dealer = network.dealer(
    { onMessage: (frames) => received.push(frames.map(readText)) },
    { routingId: serviceNameFromText(id) },
  );
  dealer.connect(ADDRESS);
  return {
    dealer,
    received,
    last: () => received.at(-1) ?? [],
    send: (...frames) => dealer.send(frames.map(writeText)),
  };
}

function request(client: Peer, id: string, service = "echo"): void {
  client.send("C", "2", service, id, '"data"', "{}");
}

function isRequest(frames: readonly string[]): boolean {
  return frames[1] === "2";
}

/** Waits until all pending callbacks have run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

// What the `pigato` package adds to the real peers, over inproc: events, live settings, tolerance of invalid options.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import PIGATO, { type WorkerConf } from "./index.ts";

let address = "";
let broker = new PIGATO.Broker("inproc://none");
let stops: (() => void)[] = [];

beforeEach(async () => {
  address = `inproc://#${crypto.randomUUID()}`;
  broker = new PIGATO.Broker(address);
  await new Promise<unknown>((resolve) => broker.start(resolve));
  stops = [];
});

afterEach(async () => {
  for (const stop of stops) stop();
  await new Promise<void>((resolve) => broker.stop(resolve));
});

function newClient(conf: ConstructorParameters<typeof PIGATO.Client>[1] = {}): InstanceType<typeof PIGATO.Client> {
  const client = new PIGATO.Client(address, conf);
  stops.push(() => client.stop());
  return client;
}

function newWorker(conf: ConstructorParameters<typeof PIGATO.Worker>[2] = {}): InstanceType<typeof PIGATO.Worker> {
  const worker = new PIGATO.Worker(address, "echo", conf);
  worker.on("request", (data, reply) => reply.end(data));
  stops.push(() => worker.stop());
  return worker;
}

/** The events of a peer and the calls of the listeners in its `conf`, in order. */
function eventsOf(peer: InstanceType<typeof PIGATO.Client> | InstanceType<typeof PIGATO.Worker>): string[] {
  const lines: string[] = [];
  for (const event of ["start", "stop", "connect", "disconnect"] as const) {
    peer.on(event, () => lines.push(event));
  }
  peer.conf.onConnect = () => lines.push("onConnect");
  peer.conf.onDisconnect = () => lines.push("onDisconnect");
  peer.conf.onDisconnnect = () => lines.push("onDisconnnect");
  return lines;
}

describe.each([
  ["a client", newClient],
  ["a worker", newWorker],
])("%s", (_name, newPeer) => {
  test("emits the lifecycle events of the original in its order", async () => {
    const peer = newPeer();
    const lines = eventsOf(peer);
    expect(peer.socketId).toBeUndefined();
    peer.stop();
    peer.start();
    expect(lines).toEqual(["start"]);
    expect(peer.socketId).toMatch(new RegExp(`^${peer.conf.prefix}-`));
    await once(peer, "connect");
    peer.stop();
    expect(lines.splice(0)).toEqual([
      "start",
      "connect",
      "onConnect",
      "disconnect",
      "onDisconnect",
      "onDisconnnect",
      "stop",
    ]);
    expect(peer.socketId).toBeUndefined();
  });

  test("that starts while it runs restarts under another id", async () => {
    const peer = newPeer();
    peer.start();
    await once(peer, "connect");
    const { socketId } = peer;
    const lines = eventsOf(peer);
    peer.start();
    expect(lines).toEqual(["disconnect", "onDisconnect", "onDisconnnect", "stop", "start"]);
    expect(peer.socketId).not.toBe(socketId);
    await once(peer, "connect");
  });

  test("emits events for the loss of the broker and for the reconnect", async () => {
    const peer = newPeer({ heartbeat: 20, reconnect: 1 });
    peer.start();
    await once(peer, "connect");
    const lines = eventsOf(peer);
    await new Promise<void>((resolve) => broker.stop(resolve));
    await once(peer, "start");
    expect(lines.slice(0, 5)).toEqual(["disconnect", "onDisconnect", "onDisconnnect", "stop", "start"]);
  });

  test("ignores options it does not know, and those without a value", () => {
    const peer = newPeer({ hwm: 5, heartbeat: undefined, onConnect: null, prefix: "mine" });
    peer.start();
    expect(peer.conf).toMatchObject({ hwm: 5 });
    expect(peer.socketId).toMatch(/^mine-/);
  });
});

describe("a client", () => {
  test("has the defaults of the original", () => {
    const { conf } = newClient();
    expect(conf).toEqual({
      autostart: false,
      reconnect: 1000,
      heartbeat: 2500,
      timeout: 60_000,
      retry: 0,
      prefix: expect.stringMatching(/^C[\da-f-]{36}$/),
    });
  });

  test("starts automatically with autostart, and keeps requests made before the start", async () => {
    const worker = newWorker();
    worker.start();
    const late = newClient();
    const answer = once(late.request("echo", "early"), "data");
    late.start();
    expect(await answer).toEqual(["early"]);
    const auto = newClient({ autostart: true });
    expect(await once(auto.request("echo", "auto"), "data")).toEqual(["auto"]);
  });

  test("reports nothing about open requests once it was stopped", async () => {
    const client = newClient();
    client.start();
    await once(client, "connect");
    const listener = vi.fn();
    client.request("missing", 1, listener, listener);
    client.request("missing", 1).on("error", listener).on("end", listener);
    client.stop();
    await new Promise<void>((resolve) => broker.stop(resolve));
    expect(listener).not.toHaveBeenCalled();
  });

  test("reads the timeout of its conf at each request, and replaces invalid values", async () => {
    const client = newClient();
    client.start();
    client.conf.timeout = 1;
    const failed = async (options?: Record<string, unknown>): Promise<unknown[]> =>
      once(client.request("missing", 1, options), "error", { signal: AbortSignal.timeout(5000) }).catch(
        (error: unknown) => [error],
      );
    expect(await failed()).toEqual(["C_TIMEOUT"]);
    expect(await failed({ timeout: "1", retry: "yes", workerId: null })).toEqual(["C_TIMEOUT"]);
  });

  test("a stream that fails emits the error, and then ends", async () => {
    const client = newClient();
    client.start();
    const stream = client.request("missing", 1, { timeout: 1 });
    const errors: unknown[] = [];
    stream.on("error", (error) => errors.push(error)).resume();
    await new Promise((resolve) => stream.on("end", resolve));
    expect(errors).toEqual(["C_TIMEOUT"]);
  });
});

test("callbacks and events of a request have the store of its AsyncLocalStorage", async () => {
  const worker = new PIGATO.Worker(address, "parts");
  stops.push(() => worker.stop());
  worker.on("request", (data, reply) => {
    reply.write(1);
    if (data === "fails") reply.error("failed");
    else reply.end(2);
  });
  worker.start();
  const client = newClient();
  client.start();
  const storage = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const note = (event: string) => (): unknown => seen.push(`${event} ${storage.getStore()}`);
  for (const data of ["ends", "fails"]) {
    storage.run(data, () => client.request("parts", data, note("partial"), note("final")));
    const stream = storage.run(data, () => client.request("parts", data));
    for (const event of ["data", "error", "end", "close"]) stream.on(event, note(event));
    await new Promise((resolve) => stream.on("close", resolve));
  }
  expect(seen.filter((event) => event.endsWith(" ends")).length).toBe(seen.indexOf("close ends") + 1);
  expect(new Set(seen)).toEqual(
    new Set([
      ...["partial ends", "final ends", "data ends", "end ends", "close ends"],
      ...["partial fails", "final fails", "data fails", "error fails", "end fails", "close fails"],
    ]),
  );
});

describe("a worker", () => {
  test("announces a changed concurrency at once, and ignores a value that is not a number", async () => {
    const worker = newWorker({ concurrency: 7 });
    expect(Object.keys(worker.conf)).toContain("concurrency");
    worker.start();
    await once(worker, "connect");
    worker.conf.concurrency = 2;
    expect(worker.conf.concurrency).toBe(2);
    Reflect.set(worker.conf, "concurrency", "many");
    expect(worker.conf.concurrency).toBeUndefined();
  });

  test("fails a request whose handler throws or rejects, and continues", async () => {
    const worker = new PIGATO.Worker(address, "throws");
    stops.push(() => worker.stop());
    worker.on("request", async (data) => {
      if (data === "late") await Promise.resolve();
      throw new Error(String(data));
    });
    worker.start();
    const client = newClient();
    client.start();
    for (const data of ["at once", "late"]) {
      const stream = client.request("throws", data);
      expect(await new Promise((resolve) => stream.on("error", resolve))).toMatchObject({ message: data });
    }
  });

  test("calls every handler, and calls one added with once() only once", async () => {
    const worker = newWorker();
    const first = vi.fn();
    worker.once("request", first);
    worker.start();
    const client = newClient();
    client.start();
    for (const data of [1, 2]) await once(client.request("echo", data), "data");
    expect(first).toHaveBeenCalledOnce();
  });
});

describe("a worker without listeners", () => {
  /** The warnings of PIGATO after two requests, whose handlers write after the end of their replies, or are missing. */
  async function warningsAfter(conf: WorkerConf, hasHandler: boolean): Promise<string[]> {
    const warnings: string[] = [];
    const listener = (warning: Error): void => {
      if (warning.name === "PigatoWarning") warnings.push(`${Reflect.get(warning, "code")} ${warning.message}`);
    };
    process.on("warning", listener);
    stops.push(() => void process.off("warning", listener));
    const worker = new PIGATO.Worker(address, "quiet", conf);
    stops.push(() => worker.stop());
    if (hasHandler) worker.on("request", (_data, reply) => void reply.end("once").end("twice"));
    worker.start();
    const client = newClient();
    client.start();
    for (const data of [1, 2]) {
      await new Promise((resolve) => client.request("quiet", data, null, resolve, { timeout: 1_000 }));
    }
    // Node emits a warning in the next tick, and the worker has caused it before the client got its reply.
    await new Promise((resolve) => setImmediate(resolve));
    return warnings;
  }

  test.each([
    [true, "PIGATO_WRITE_AFTER_END reply.end() after the end of request"],
    [false, 'PIGATO_NO_HANDLER worker "quiet" has no request handler: call worker.on("request", …) before start()'],
  ])("warns once (it has a handler: %s)", async (hasHandler, text) => {
    expect(await warningsAfter({}, hasHandler)).toEqual([expect.stringContaining(text)]);
  });

  test.each([true, false])("does not warn with logger: false (it has a handler: %s)", async (hasHandler) => {
    expect(await warningsAfter({ logger: false }, hasHandler)).toEqual([]);
  });
});

test("what a classic handler returns is no reply", async () => {
  const worker = new PIGATO.Worker(address, "echo");
  stops.push(() => worker.stop());
  worker.on("request", async (data, reply) => {
    setTimeout(() => reply.end(data), 10);
    return "returned";
  });
  worker.start();
  const client = newClient();
  client.start();
  expect(await once(client.request("echo", "data"), "data")).toEqual(["data"]);
});

describe("a broker", () => {
  test("emits events, calls the listeners of its conf and callbacks, and has the defaults of the original", async () => {
    const other = new PIGATO.Broker("inproc://other");
    expect(other.conf).toMatchObject({ heartbeat: 2500, dmode: "load", name: expect.stringMatching(/^B/) });
    expect(other.conf.intch).toEqual(expect.stringMatching(/^(ipc|tcp):/));
    const lines: string[] = [];
    other.on("start", () => lines.push("start")).on("stop", () => lines.push("stop"));
    other.conf.onStart = () => lines.push("onStart");
    other.conf.onStop = () => lines.push("onStop");
    await new Promise<unknown>((resolve) => other.start(resolve));
    await new Promise<void>((resolve) => other.stop(resolve));
    expect(lines).toEqual(["onStart", "start", "onStop", "stop"]);
  });
});

test("a broker reports an address that is none to the callback of start(), or as an error event", async () => {
  const other = new PIGATO.Broker("localhost:55555");
  const failure = expect.objectContaining({ name: "UsageError", message: expect.stringContaining("localhost:55555") });
  expect(await new Promise<unknown>((resolve) => other.start(resolve))).toEqual(failure);
  other.start();
  expect(await once(other, "error").catch((error: unknown) => [error])).toEqual([failure]);
});

test("a directory knows who serves what right after its start", async () => {
  const worker = newWorker();
  worker.start();
  await once(worker, "connect");
  const directory = new PIGATO.services.Directory(address, { intch: broker.conf.intch });
  stops.push(() => directory.stop());
  const started = new Promise<void>((resolve) => {
    directory.conf.onStart = resolve;
  });
  directory.start();
  await started;
  const client = newClient();
  client.start();
  expect(await once(client.request("$dir", "echo"), "data")).toEqual([[worker.socketId]]);
  expect(await once(client.request("$dir", "missing"), "data")).toEqual([[]]);
  expect(await once(client.request("$dir"), "data")).toEqual([
    { echo: [worker.socketId], $dir: [directory.wrk?.socketId] },
  ]);
});

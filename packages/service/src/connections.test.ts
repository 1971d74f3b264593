// The connections of a host that serves several services.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import {
  type Capabilities,
  DEFAULT_REQUEST_OPTIONS,
  NO_CAPABILITIES,
  pigato,
  requestId,
  type ServiceName,
  writeText,
} from "@pigato/protocol";
import { zmtp } from "@pigato/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import { Host, type HostOptions } from "./index.ts";
import { start } from "./testing/start.ts";

async function startBroker(options: object = {}): Promise<{ readonly broker: Broker; readonly address: string }> {
  const broker = new Broker("tcp://127.0.0.1:*", { stopTimeoutMs: 0, ...options });
  onTestFinished(() => broker.stop());
  await broker.start();
  return { broker, address: broker.addresses[0] ?? "" };
}

function newHost(address: string | readonly string[], names: readonly string[], options: HostOptions = {}): Host {
  const host = new Host(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => host.stop());
  for (const name of names) host.register(name, () => `of ${name}`, "run");
  return host;
}

async function startClient(address: string): Promise<Client> {
  const client = new Client(address, { stopTimeoutMs: 0, timeout: 10_000 });
  onTestFinished(() => client.stop());
  await client.start();
  return client;
}

/** What the method `run` of each service replies. */
function runAll(client: Client, names: readonly string[]): Promise<unknown[]> {
  return Promise.all(names.map((name) => client.call(name, { method: "run", args: [] })));
}

function once(host: Host, event: "connect" | "disconnect" | "error"): Promise<unknown> {
  return new Promise((resolve) => {
    host.once(event, (...args) => resolve(args[0]));
  });
}

const NAMES = ["echo", "sum", "stock"];
const SHARED: Capabilities = { ...NO_CAPABILITIES, services: true };

const REQUEST = {
  type: "request",
  address: "c1",
  requestId: requestId("r1"),
  body: [writeText(JSON.stringify({ method: "run", args: [] }))],
  trailer: [],
  options: DEFAULT_REQUEST_OPTIONS,
} as const;

const FULL = { code: "BUSY", message: "there is no room" } as const;

interface Ready {
  readonly peer: string;
  readonly service: ServiceName;
}

/** A broker that answers a READY when the test says so. */
class PatientBroker {
  address = "";
  /** Those that it has not answered, oldest first. */
  readonly #ready: Ready[] = [];
  /** The workers that have answered a request. */
  readonly #answered: string[] = [];
  readonly #router = zmtp.router({
    onMessage: (peer, frames) => {
      const message = pigato.decodeFromWorker(frames);
      if (message.type === "ready") this.#ready.push({ peer, service: message.service });
      if (message.type === "final") this.#answered.push(peer);
    },
  });

  static async start(): Promise<PatientBroker> {
    const broker = new PatientBroker();
    onTestFinished(() => broker.#router.close());
    broker.address = await broker.#router.bind("tcp://127.0.0.1:*");
    return broker;
  }

  /** Waits for a READY for the service, accepts it, and waits until the worker knows. @returns the worker */
  async accept(service: string, accepted?: Capabilities): Promise<string> {
    const { peer, service: name } = await this.#take((ready) => ready.service === service);
    this.#router.send(peer, pigato.encodeToWorker({ type: "ready", accepted }));
    this.#router.send(peer, pigato.encodeToWorker({ ...REQUEST, service: name }));
    await expect.poll(() => this.#answered.includes(peer)).toBe(true);
    return peer;
  }

  /** Accepts a further service on the connection of a worker. */
  async acceptFurther(service: string, worker: string): Promise<void> {
    const ready = await this.#take((other) => other.peer === worker && other.service === service);
    this.#router.send(
      worker,
      pigato.encodeToWorker({ type: "service-answer", service: ready.service, refusal: undefined }),
    );
  }

  /** Takes a READY for the service from any worker but this one, and leaves it open. @returns the worker */
  async asked(service: string, besides: string): Promise<string> {
    return (await this.#take((ready) => ready.service === service && ready.peer !== besides)).peer;
  }

  /** Refuses a further service on the connection of a worker. */
  async refuseFurther(service: string, worker: string): Promise<void> {
    const ready = await this.#take((other) => other.peer === worker && other.service === service);
    const answer = { type: "service-answer", service: ready.service, refusal: FULL } as const;
    this.#router.send(worker, pigato.encodeToWorker(answer));
  }

  disconnect(worker: string, reason?: typeof FULL): void {
    this.#router.send(worker, pigato.encodeToWorker({ type: "disconnect", ...(reason && { reason }) }));
  }

  async #take(matches: (ready: Ready) => boolean): Promise<Ready> {
    await expect.poll(() => this.#ready.some(matches)).toBe(true);
    const [ready] = this.#ready.splice(this.#ready.findIndex(matches), 1);
    if (ready === undefined) throw new Error("a worker that was ready is gone");
    return ready;
  }
}
const REPLIES = ["of echo", "of sum", "of stock"];

describe("a host with several services", () => {
  test("has one connection to a broker that takes several", async () => {
    const { broker, address } = await startBroker();
    const host = newHost(address, NAMES);
    await host.start();
    expect(broker.stats()).toMatchObject({ workers: 1, services: 3 });
    expect(await runAll(await startClient(address), NAMES)).toEqual(REPLIES);
    await host.stop();
    expect(broker.stats()).toMatchObject({ workers: 0 });
  });

  test.each([["without negotiation", { negotiate: false }]] as const)(
    "has a connection for each to another broker: %s",
    async (_, options) => {
      const { broker, address } = await startBroker();
      const host = newHost(address, NAMES, options);
      await host.start();
      expect(broker.stats()).toMatchObject({ workers: 3, services: 3 });
      const client = await startClient(address);
      expect(await runAll(client, NAMES)).toEqual(REPLIES);
      await host.stop();
      expect(broker.stats()).toMatchObject({ workers: 0 });
      await host.start();
      expect(broker.stats()).toMatchObject({ workers: 3, services: 3 });
      host.register("echo", (...args: readonly unknown[]) => args, "args");
      expect(await client.rpc<{ args(...all: readonly unknown[]): unknown }>("echo").args(1, "two")).toEqual([
        1,
        "two",
      ]);
      expect(await client.call("echo", { one: 1 }, { method: "args" })).toEqual([{ one: 1 }]);
    },
  );

  test("has a connection for each in Majordomo", async () => {
    const { broker, address } = await startBroker();
    await newHost(address, NAMES, { dialect: "mdp02" }).start();
    const client = await startClient(address);
    const reply = await client.call("sum", { method: "run", args: [], kwargs: {} });
    expect(Buffer.from(String(reply)).toString()).toContain("of sum");
    // No reply to READY says when the broker has read those of the other connections.
    await expect.poll(() => broker.stats()).toMatchObject({ workers: 3 });
  });

  test("offers all of them again to a broker that has restarted", async () => {
    const { broker, address } = await startBroker();
    const host = newHost(address, NAMES, { reconnect: 50 });
    await host.start();
    await Promise.all([once(host, "disconnect"), broker.stop()]);
    const again = new Broker(address, { stopTimeoutMs: 0 });
    onTestFinished(() => again.stop());
    await Promise.all([once(host, "connect"), again.start()]);
    expect(again.stats()).toMatchObject({ workers: 1, services: 3 });
    expect(await runAll(await startClient(address), NAMES)).toEqual(REPLIES);
  });

  test("has one connection again when one of its own is accepted before it", async () => {
    const broker = await PatientBroker.start();
    const host = newHost(broker.address, NAMES, { reconnect: 1 });
    const starting = host.start();
    const workers = [await broker.accept("echo"), await broker.accept("sum"), await broker.accept("stock")];
    await starting;
    const again = once(host, "connect");
    for (const worker of workers) broker.disconnect(worker);
    await broker.accept("sum", SHARED);
    const main = await broker.accept("echo", SHARED);
    await broker.acceptFurther("sum", main);
    await broker.acceptFurther("stock", main);
    await again;
  });

  test("is up again when the last service that it waits for is refused", async () => {
    const broker = await PatientBroker.start();
    const host = newHost(broker.address, ["echo"], { reconnect: 1 });
    const starting = host.start();
    const first = await broker.accept("echo", SHARED);
    await starting;
    host.register("sum", () => 0, "run");
    await broker.refuseFurther("sum", first);
    const own = await broker.asked("sum", first);
    const [failed, again] = [once(host, "error"), once(host, "connect")];
    broker.disconnect(first);
    await broker.accept("echo", SHARED);
    broker.disconnect(own, FULL);
    expect(String(await failed)).toContain("there is no room");
    await again;
  });

  test("gives each request to the service that its name leads to", async () => {
    const served = ["sum@1.2.0", "sum@1.10.0", "s*", "suite*", "größe"];
    const { client } = await start((host) => {
      for (const name of served) host.register(name, () => name, "run");
    });
    const asked = ["sum@1.2.0", "sum@^1", "sum@1.2.x", "sum", "suite 1", "suit", "größe"];
    expect(await runAll(client, asked)).toEqual([
      ...["sum@1.2.0", "sum@1.10.0", "sum@1.2.0", "s*", "suite*", "s*", "größe"],
    ]);
  });

  test("serves further ones after its start", async () => {
    const { broker, address } = await startBroker();
    const host = newHost(address, ["echo"]);
    await host.start();
    for (const name of NAMES.slice(1)) host.register(name, () => `of ${name}`, "run");
    expect(await runAll(await startClient(address), NAMES)).toEqual(REPLIES);
    expect(broker.stats()).toMatchObject({ workers: 1, services: 3 });
  });

  test("serves further ones after its start, on connections of their own", async () => {
    const { broker, address } = await startBroker();
    const host = newHost(address, ["echo"], { negotiate: false });
    await host.start();
    for (const name of NAMES.slice(1)) host.register(name, () => `of ${name}`, "run");
    expect(await runAll(await startClient(address), NAMES)).toEqual(REPLIES);
    expect(broker.stats()).toMatchObject({ workers: 3, services: 3 });
  });

  test("shares its concurrency among them, in turn", async () => {
    const { broker, address } = await startBroker();
    const order: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const host = new Host(address, { stopTimeoutMs: 0, concurrency: 1 });
    onTestFinished(() => host.stop());
    for (const name of ["busy", "quiet"]) host.register(name, () => gate.then(() => order.push(name)), "run");
    await host.start();
    const client = await startClient(address);
    const replies = runAll(client, [...Array.from({ length: 50 }, () => "busy"), "quiet"]);
    await expect.poll(() => broker.stats()?.open).toBe(51);
    open();
    await replies;
    expect(order.slice(0, 3)).toContain("quiet");
  });
});

describe("a service that the broker does not take on the connection of others", () => {
  test("has one of its own: a core service", async () => {
    const { broker, address } = await startBroker();
    const names = ["echo", "$mine"];
    await newHost(address, names).start();
    expect(broker.stats()).toMatchObject({ workers: 2, services: 2 });
    expect(await runAll(await startClient(address), names)).toEqual(["of echo", "of $mine"]);
  });

  test("has one of its own: the 257th", async () => {
    const { broker, address } = await startBroker();
    const names = Array.from({ length: 258 }, (_, index) => `s${index}`);
    await newHost(address, names).start();
    expect(broker.stats()).toMatchObject({ workers: 3, services: 258 });
    expect(await runAll(await startClient(address), ["s255", "s256", "s257"])).toEqual([
      ...["of s255", "of s256", "of s257"],
    ]);
  });

  test("ends the start if the broker takes it nowhere", async () => {
    const { broker, address } = await startBroker();
    const host = newHost(address, ["echo", "mmi.echo"]);
    host.on("error", () => {});
    await expect(host.start()).rejects.toThrow(/cannot register a worker for "mmi.echo".*the broker itself serves/);
    expect(broker.stats()).toMatchObject({ workers: 0 });
  });

  test("is an error after the start, and the others go on", async () => {
    const { address } = await startBroker({ maxWorkers: 1 });
    const host = newHost(address, ["echo"]);
    await host.start();
    const failed = once(host, "error");
    host.register("sum", () => 0, "run");
    expect(String(await failed)).toContain('cannot register a worker for "sum"');
    expect(await runAll(await startClient(address), ["echo"])).toEqual(["of echo"]);
  });
});

test("stop() ends a start that has not finished", async () => {
  const host = newHost("tcp://127.0.0.1:9", NAMES);
  const starting = host.start();
  await host.stop();
  await expect(starting).rejects.toMatchObject({ code: "CLOSED" });
});

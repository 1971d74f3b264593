// Several services on one connection, over sockets: with both transports, with the original from npm, with peers that break the rules,
// and with processes that die.

import { Host } from "@pigato/service";
import { describe, expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicBroker, startClassicClient } from "../classic/peers.ts";
import { startDirectory, until } from "../directory/start.ts";
import { spawnProgram } from "../support/spawn.ts";
import { connectRawPeer, startBroker, startClient } from "../support/start.ts";
import type { HostSettings } from "./host-main.ts";

const NAMES = ["echo", "sum", "stock"];
const CAPS = "pigato/1 cancel services concurrency=1";

async function startHost(address: string, options: object = {}): Promise<Host> {
  const host = new Host(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => host.stop());
  for (const name of NAMES) host.register(name, () => `of ${name}`, "run");
  await host.start();
  return host;
}

async function startNpmClient(address: string): ReturnType<typeof startClassicClient> {
  const process = await LibraryProcess.start("classic");
  onTestFinished(() => process.kill());
  return startClassicClient(process, { address });
}

async function sendMany(count: number, send: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index++) await send(index);
}

describe.each(["zmtp", "libzmq"] as const)("over %s", (transport) => {
  test("a client of npm pigato calls all services of a host, which has one connection", async () => {
    const { broker, address } = await startBroker({ transport });
    await startHost(address, { transport });
    expect(broker.stats()).toMatchObject({ workers: 1, services: 3 });
    const client = await startNpmClient(address);
    const outcomes = await client.requestAll(NAMES.map((service) => ({ service, data: { method: "run", args: [] } })));
    expect(outcomes.map(({ final }) => final)).toEqual(["of echo", "of sum", "of stock"]);
  });

  test("a worker gets its slot for each service in turn", async () => {
    const { address } = await startBroker({ transport });
    const worker = connectRawPeer(address, "w1");
    for (const name of ["busy", "quiet"]) await worker.send("W", "1", name, CAPS);
    await worker.receive("W", "1", "", "quiet");
    const client = connectRawPeer(address);
    for (let id = 1; id <= 20; id++) await client.send("C", "2", "busy", `b${id}`, "1");
    await client.send("C", "2", "quiet", "q1", "1");
    await client.roundTrip();
    const order: string[] = [];
    while (!order.includes("q1")) {
      const [, , token = "", , , id = ""] = await worker.receive("W", "2");
      order.push(id);
      await worker.send("W", "3", token, "", id, "0", "1");
    }
    expect(order).toEqual(["b1", "b2", "q1"]);
  });

  test("a worker that sends READY 2,000 times has 256 services, and others are served", async () => {
    const { broker, address, drops } = await startBroker({ transport });
    const hostile = connectRawPeer(address, "hostile");
    const flood = sendMany(2_000, (index) => hostile.send("W", "1", `made-up-${index}`, CAPS));
    await startHost(address, { transport });
    const client = await startClient(address, { transport });
    expect(await client.call("sum", { method: "run", args: [] })).toBe("of sum");
    await flood;
    const [, , , , reason = ""] = await hostile.receive("W", "1", "", "made-up-1999");
    expect(JSON.parse(reason)).toEqual({
      code: "BUSY",
      message: "the worker offers 256 services, the most for one connection",
    });
    expect(broker.stats()).toMatchObject({ workers: 2, services: 259 });
    expect(drops.length).toBe(2_000 - 256);
    await hostile.send("W", "5");
    await expect.poll(() => broker.stats()).toMatchObject({ workers: 1, services: 3 });
  });
});

test("a host has a connection for each service to the original's broker", async () => {
  const broker = await startClassicBroker();
  onTestFinished(() => broker.process.kill());
  const address = await broker.address();
  const host = await startHost(address);
  const client = await startNpmClient(address);
  const call = (service: string) => client.request(service, { method: "run", args: [] });
  for (const name of NAMES) expect(await call(name)).toMatchObject({ final: `of ${name}`, error: undefined });
  host.register("late", () => "of late", "run");
  expect(await call("late")).toMatchObject({ final: "of late" });
});

test("a host has one connection again when a broker that takes several services follows", async () => {
  const first = await startClassicBroker();
  onTestFinished(() => first.process.kill());
  const address = await first.address();
  const host = await startHost(address, { reconnect: 50 });
  const again = new Promise((resolve) => {
    host.once("connect", () => resolve(true));
  });
  await first.process.kill();
  const { broker } = await startBroker({}, address);
  await again;
  await expect.poll(() => broker.stats()).toMatchObject({ workers: 1, services: 3 });
  const client = await startClient(address);
  const replies = await Promise.all(NAMES.map((name) => client.call(name, { method: "run", args: [] })));
  expect(replies).toEqual(["of echo", "of sum", "of stock"]);
  await host.stop();
  expect(broker.stats()).toMatchObject({ workers: 0 });
});

test("the requests for all services of a host that is killed go to another host", async () => {
  const { broker, address } = await startBroker();
  const spawnHost = (settings: Pick<HostSettings, "name" | "holds">) =>
    spawnProgram(new URL("./host-main.ts", import.meta.url), { ...settings, address, services: NAMES });
  const first = await spawnHost({ name: "first", holds: true });
  onTestFinished(() => void first.kill());
  const client = await startClient(address);
  const calls = Array.from({ length: 30 }, (_, index) => {
    return client.call(NAMES[index % 3] ?? "", { method: "run", args: [] }, { retry: 1, timeout: 20_000 });
  });
  await expect.poll(() => broker.stats()?.inFlight).toBe(30);
  const second = await spawnHost({ name: "second", holds: false });
  onTestFinished(() => void second.kill());
  first.signal("SIGKILL");
  const replies = NAMES.map((name) => `${name} at second`);
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 10 }, () => replies).flat());
  expect(broker.stats()).toMatchObject({ workers: 1, services: 3, open: 0 });
});

test("a worker that did not negotiate several services keeps its one", async () => {
  const { address, drops } = await startBroker();
  const worker = connectRawPeer(address, "w1");
  await worker.send("W", "1", "echo");
  await worker.send("W", "1", "sum", CAPS);
  await worker.send("W", "4");
  await worker.receive("W", "4");
  expect(drops).toEqual([{ peer: "w1", reason: "already-registered", requestId: undefined }]);
  expect(worker.received).toEqual([["W", "1"]]);
});

test("a broadcast to one of several services reaches each host that offers it", async () => {
  const running = await startBroker();
  await startDirectory(running);
  const { address } = running;
  await Promise.all([startHost(address), startHost(address)]);
  const client = await startClient(address);
  const ask = () => client.broadcast("sum", { method: "run", args: [] }).all();
  const results = await until(
    () => ask().catch(() => []),
    (all) => all.length === 2,
  );
  expect(results.map(({ data }) => data)).toEqual(["of sum", "of sum"]);
  expect(new Set(results.map(({ worker }) => worker)).size).toBe(2);
});

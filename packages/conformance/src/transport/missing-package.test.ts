// What needs the optional package `zeromq` fails on a machine without it, and says what to install. The rest works.

import Module from "node:module";
import { Broker, newCurveKeyPair } from "@pigato/broker";
import { Client } from "@pigato/client";
import { CoreService } from "@pigato/core-service";
import { Worker } from "@pigato/worker";
import PIGATO from "pigato";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const TCP = "tcp://127.0.0.1:*";
const INPROC = "inproc://without-the-package";
const MISSING = {
  name: "LinkError",
  code: "MISSING_PACKAGE",
  message: expect.stringContaining("npm install zeromq"),
};

// Node resolves every `require` by this function, also those of `createRequire`.
const RESOLVE = "_resolveFilename";
const resolveFilename: (...args: readonly unknown[]) => unknown = Reflect.get(Module, RESOLVE);

beforeAll(() => {
  Reflect.set(Module, RESOLVE, (...args: readonly unknown[]) => {
    if (args[0] === "zeromq") throw new Error("Cannot find module 'zeromq'");
    return Reflect.apply(resolveFilename, Module, args);
  });
});

afterAll(() => void Reflect.set(Module, RESOLVE, resolveFilename));

describe("without the package zeromq", () => {
  const keys = newCurveKeyPair();
  const curve = { ...keys, serverKey: keys.publicKey };
  const plain = { username: "ada", password: "lovelace" };

  test.each([
    ["at an inproc address", INPROC, {}],
    ["with the transport libzmq", TCP, { transport: "libzmq" as const }],
    ["with CURVE", TCP, { curve: keys }],
    ["with PLAIN", TCP, { plain: true, authenticate: () => true }],
    ["with a channel at an inproc address", TCP, { intch: "inproc://channel-without-the-package" }],
  ])("a broker %s does not start and names the package", async (_case, address, options) => {
    const broker = new Broker(address, options);
    onTestFinished(() => broker.stop());
    await expect(broker.start()).rejects.toMatchObject(MISSING);
  });

  test.each([
    ["at an inproc address", INPROC, {}],
    ["with the transport libzmq", "tcp://127.0.0.1:9", { transport: "libzmq" as const }],
    ["with CURVE", "tcp://127.0.0.1:9", { curve }],
    ["with PLAIN", "tcp://127.0.0.1:9", { plain }],
  ])("a client, a worker and a core service %s do not start and name the package", async (_case, address, options) => {
    const silent = { ...options, logger: false as const };
    const service = { ...silent, intch: "ipc://@channel-without-the-package", onRequest: () => {} };
    const peers = [
      new Client(address, silent),
      new Worker(address, "echo", silent),
      new CoreService(address, "$echo", service),
    ];
    for (const peer of peers) {
      onTestFinished(() => peer.stop());
      await expect(peer.start()).rejects.toMatchObject(MISSING);
    }
  });

  test("a request over tcp is answered", async () => {
    const broker = new Broker(TCP);
    await broker.start();
    const [address = ""] = broker.addresses;
    const worker = new Worker(address, "echo");
    worker.on("request", (data, reply) => void reply.end(data));
    const client = new Client(address);
    await Promise.all([worker.start(), client.start()]);
    expect(await client.call("echo", "hi")).toBe("hi");
    await Promise.all([client.stop(), worker.stop()]);
    await broker.stop();
  });

  test("a broker of the classic package at an inproc address reports the missing package", async () => {
    const broker = new PIGATO.Broker(INPROC);
    onTestFinished(() => void broker.stop());
    const error = new Promise((resolve) => broker.on("error", resolve));
    broker.start();
    expect(await error).toMatchObject(MISSING);
  });
});

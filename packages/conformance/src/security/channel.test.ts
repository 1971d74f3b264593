// The internal channel of a secured broker: a directory authenticates as a worker does.

import { Client } from "@pigato/client";
import { Directory } from "@pigato/directory";
import { expect, onTestFinished, test } from "vitest";
import { Subscriber } from "zeromq";
import { LOOPBACK, startBroker } from "../support/start.ts";
import { Keys, MISMATCH } from "./keys.ts";

const keys = new Keys();

test.each([
  { where: "at its own address", intch: undefined },
  { where: "over tcp", intch: LOOPBACK },
])("a directory with the right key receives the services $where", async ({ intch }) => {
  const { broker, address, rejections } = await startBroker({
    curve: keys.server,
    authenticate: keys.isKnown,
    ...(intch !== undefined && { intch }),
  });
  const directory = new Directory(address, { intch: broker.conf.intch, curve: keys.curve(keys.worker) });
  onTestFinished(() => directory.stop());
  await directory.start();
  await using client = new Client(address, { curve: keys.curve(keys.client) });
  await client.start();
  expect(await client.call("$dir", "$dir")).toEqual([directory.worker.socketId]);
  expect(rejections.items).toEqual([]);
});

test("a directory with a name and a password starts", async () => {
  const { broker, address } = await startBroker({
    plain: true,
    authenticate: (peer) => peer.mechanism === "PLAIN" && peer.password === "x",
  });
  const directory = new Directory(address, {
    intch: broker.conf.intch,
    plain: { username: "directory", password: "x" },
  });
  onTestFinished(() => directory.stop());
  await directory.start();
});

test("the start of a directory that the broker does not know is rejected, and succeeds once it is known", async () => {
  let isKnown = false;
  const { broker, address } = await startBroker({ curve: keys.server, authenticate: () => isKnown });
  const directory = new Directory(address, { intch: broker.conf.intch, curve: keys.curve(keys.worker) });
  onTestFinished(() => directory.stop());
  await expect(directory.start()).rejects.toMatchObject({ code: "REFUSED", address });
  isKnown = true;
  await directory.start();
  expect(directory.services.size).toBe(1);
});

test("a directory that the channel denies is notified", async () => {
  const { broker, address, rejections } = await startBroker({
    curve: keys.server,
    authenticate: (peer) => peer.listener === "bind",
  });
  const directory = new Directory(address, { intch: broker.conf.intch, curve: keys.curve(keys.worker) });
  onTestFinished(() => directory.stop());
  const received = new Promise<Error>((resolve) => directory.worker.once("error", resolve));
  void directory.start();
  expect(await received).toMatchObject({ code: "REFUSED", address: broker.conf.intch });
  expect(await rejections.take()).toMatchObject({ listener: "intch", code: "DENIED" });
});

test("a subscriber without a key receives nothing", async () => {
  const { broker, address, rejections } = await startBroker({ curve: keys.server, intch: LOOPBACK });
  const received: unknown[] = [];
  const denied = new Subscriber({ linger: 0 });
  onTestFinished(() => denied.close());
  denied.subscribe();
  denied.connect(String(broker.conf.intch));
  void (async () => {
    for await (const frames of denied) received.push(frames);
  })().catch(() => {});
  expect(await rejections.take()).toMatchObject({ listener: "intch", code: expect.toBeOneOf([...MISMATCH]) });
  const directory = new Directory(address, { intch: broker.conf.intch, curve: keys.curve(keys.worker) });
  onTestFinished(() => directory.stop());
  await directory.start();
  expect(directory.services.size).toBe(1);
  expect(received).toEqual([]);
});

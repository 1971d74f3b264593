// Secured brokers: many peers that connect at once, a restart, and classic peers.

import { once } from "node:events";
import { connect } from "node:net";
import { Client } from "@pigato/client";
import PIGATO from "pigato";
import { expect, onTestFinished, test } from "vitest";
import { startBroker } from "../support/start.ts";
import { Keys, startEcho } from "./keys.ts";

const keys = new Keys();

test("two hundred clients that connect at once are each authenticated and served", async () => {
  let count = 0;
  const { address, rejections } = await startBroker({
    curve: keys.server,
    authenticate: async (peer) => {
      count += 1;
      await new Promise(setImmediate);
      return keys.isKnown(peer);
    },
  });
  await startEcho(address, { curve: keys.curve(keys.worker) });
  const clients = Array.from({ length: 200 }, () => new Client(address, { curve: keys.curve(keys.client) }));
  for (const client of clients) onTestFinished(() => client.stop());
  await Promise.all(clients.map((client) => client.start()));
  const answers = await Promise.all(clients.map((client, index) => client.call("echo", index)));
  expect(answers).toEqual(clients.map((_, index) => index));
  expect(count).toBe(201);
  expect(rejections.items).toEqual([]);
});

test("peers reconnect to a broker that restarts with the same key, and not to one with another", async () => {
  const { broker, address } = await startBroker({ curve: keys.server, authenticate: keys.isKnown });
  await startEcho(address, { curve: keys.curve(keys.worker), reconnect: 10 });
  const client = new Client(address, { curve: keys.curve(keys.client), reconnect: 10 });
  onTestFinished(() => client.stop());
  await client.start();
  await broker.stop();
  const impostor = await startBroker({ curve: keys.unknown, authenticate: () => true }, address);
  expect(await impostor.rejections.take()).toMatchObject({ code: "HANDSHAKE_FAILED" });
  expect(impostor.broker.stats()).toMatchObject({ clients: 0, workers: 0 });
  await impostor.broker.stop();
  await startBroker({ curve: keys.server, authenticate: keys.isKnown }, address);
  expect(await client.call("echo", "again", { timeout: 15_000 })).toBe("again");
});

test("classic code is authorized with the same options in its conf", async () => {
  const { address } = await startBroker({ curve: keys.server, authenticate: keys.isKnown });
  const worker = new PIGATO.Worker(address, "echo", { curve: keys.curve(keys.worker) });
  onTestFinished(() => worker.stop());
  worker.on("request", (data, reply) => reply.end(data));
  worker.start();
  const client = new PIGATO.Client(address, { curve: keys.curve(keys.client) });
  onTestFinished(() => client.stop());
  client.start();
  const answer = new Promise((resolve) => client.request("echo", "hello", undefined, (_error, data) => resolve(data)));
  expect(await answer).toBe("hello");
});

test("a broker without security also reports rejected connections", async () => {
  const { address, rejections } = await startBroker({});
  const socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\n\r\n");
  expect(await rejections.take()).toMatchObject({
    listener: "bind",
    code: "PROTOCOL",
    remoteAddress: `tcp://127.0.0.1:${socket.localPort}`,
  });
});

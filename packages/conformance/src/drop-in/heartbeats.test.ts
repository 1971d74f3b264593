// What the README of the original promises of requests that run for long: the handler is notified when its client gives up or
// disconnects, and its heartbeats reach the client. With a broker that answers offers, whose peers are those of this package.

import { once } from "node:events";
import { Inbox } from "@pigato/testkit";
import type { Reply } from "pigato";
import { describe, expect, onTestFinished, test } from "vitest";
import { happened, LIBRARIES } from "./libraries.ts";
import { newService, send, startBroker, startClient, startWorker } from "./start.ts";

const PATIENTLY = { timeout: 10_000 };

interface Running {
  readonly client: Awaited<ReturnType<typeof startClient>>;
  readonly service: string;
  /** The reply to the first request. */
  readonly reply: Promise<Reply>;
}

async function running(): Promise<Running> {
  const broker = await startBroker();
  const [address = ""] = broker.addresses;
  const service = newService();
  return { client: await startClient(address), service, reply: (await startHolding(address, service)).take() };
}

/** Starts a worker that does not answer. */
async function startHolding(address: string, service: string): Promise<Inbox<Reply>> {
  const replies = new Inbox<Reply>();
  await startWorker(address, service, (_data, reply) => replies.add(reply));
  return replies;
}

describe("reply.active() turns false", () => {
  test("when the client's timeout is over", async () => {
    const { client, service, reply } = await running();
    const stream = client.request(service, 1, { timeout: 2_000 });
    const [error] = await once(stream, "error");
    expect(error).toBe("C_TIMEOUT");
    await expect.poll(async () => (await reply).active(), PATIENTLY).toBe(false);
    expect((await reply).signal.aborted).toBe(true);
  });

  test("when the client discards the stream", async () => {
    const { client, service, reply } = await running();
    const stream = client.request(service, 1);
    expect((await reply).active()).toBe(true);
    stream.destroy();
    await expect.poll(async () => (await reply).active(), PATIENTLY).toBe(false);
  });

  test("when the client stops", async () => {
    const { client, service, reply } = await running();
    client.request(service, 1);
    expect((await reply).active()).toBe(true);
    client.stop();
    await expect.poll(async () => (await reply).active(), PATIENTLY).toBe(false);
  });

  test("when a client of the original stops", async () => {
    const broker = await startBroker();
    const [address = ""] = broker.addresses;
    const service = newService();
    const replies = await startHolding(address, service);
    const client = new LIBRARIES.classic.Client(address, {});
    onTestFinished(() => client.stop());
    const connected = happened(client, "connect");
    client.start();
    await connected;
    client.request(service, 1).on("error", () => {});
    const reply = await replies.take();
    expect(reply.active()).toBe(true);
    client.stop();
    await expect.poll(() => reply.active(), PATIENTLY).toBe(false);
  });
});

test("reply.heartbeat() reaches the client, as an event of its stream", async () => {
  const { client, service, reply } = await running();
  const stream = client.request(service, 1);
  const heartbeat = once(stream, "heartbeat");
  (await reply).heartbeat();
  await heartbeat;
  (await reply).end("done");
  const [value] = await once(stream, "data");
  expect(value).toBe("done");
});

test("stream.heartbeat() is answered for a request that runs", async () => {
  const { client, service, reply } = await running();
  const stream = client.request(service, 1);
  await reply;
  const heartbeat = once(stream, "heartbeat");
  stream.heartbeat();
  await heartbeat;
});

test("with the original's broker, a worker has its slot back after the timeout of a request that it never answered", {
  timeout: 60_000,
}, async () => {
  const address = `inproc://#${crypto.randomUUID()}`;
  const broker = new LIBRARIES.classic.Broker(address, { intch: `inproc://#${crypto.randomUUID()}` });
  onTestFinished(() => broker.stop());
  broker.start();
  const service = newService();
  const replies = new Inbox<Reply>();
  await startWorker(address, service, (data, reply) => (data === "hold" ? replies.add(reply) : reply.end(data)), {
    concurrency: 1,
  });
  const client = await startClient(address);
  client.request(service, "hold", { timeout: 2_000 }).on("error", () => {});
  const reply = await replies.take();
  expect(await send(client, service, "next")).toMatchObject({ error: 0, value: "next" });
  expect(reply.active()).toBe(false);
});

// Clients with a stable id: their stored requests survive the loss of a connection, of the broker, and of the client.

import { once } from "node:events";
import { type Broker, MemoryStore } from "@pigato/broker";
import type { Client } from "@pigato/client";
import { FakeClock, Inbox } from "@pigato/testkit";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { libzmq, type PeerFacts, type Transport, zmtp } from "@pigato/transport";
import type { Reply } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { Keys } from "../security/keys.ts";
import { spawnBroker } from "../support/spawn.ts";
import { newClient, startBroker, startClient, startWorker } from "../support/start.ts";

const BRISK = { reconnect: 50, reconnectMaxMs: 200 };
const STABLE = { ...BRISK, clientId: "billing" };
const PERSIST = { persist: true, timeout: 30_000 };

/** ZMTP whose links a test can take down. */
class BreakableTransport implements Transport {
  readonly router: Transport["router"] = zmtp.router;
  readonly publisher: Transport["publisher"] = zmtp.publisher;
  readonly subscriber: Transport["subscriber"] = zmtp.subscriber;
  breakLink: () => void = () => {};

  dealer: Transport["dealer"] = (handlers, options) => {
    this.breakLink = () => handlers.onDown?.();
    return zmtp.dealer(handlers, options);
  };
}

/** A worker that leaves its requests open: their replies, in order. */
async function startHeldWorker(address: string): Promise<Inbox<Reply>> {
  const replies = new Inbox<Reply>();
  await startWorker(address, "slow", (_data, reply) => replies.add(reply), BRISK);
  return replies;
}

/** Loses the connection of a client. Resolves when the broker has noticed. */
async function disconnect(broker: Broker, transport: BreakableTransport): Promise<void> {
  const left = new Promise((resolve) => void broker.once("client:leave", resolve));
  transport.breakLink();
  await left;
}

describe("a stored request of a client with an id", () => {
  test("gets the reply that the broker held while the connection was lost, and runs once", async () => {
    const { broker, address } = await startBroker();
    const replies = await startHeldWorker(address);
    const transport = new BreakableTransport();
    const client = await startClient(address, { ...STABLE, reconnect: 500, transport });
    const answer = client.call("slow", 1, PERSIST);
    const reply = await replies.take();

    await disconnect(broker, transport);
    const held = new Promise((resolve) => void broker.once("reply:held", resolve));
    reply.end("kept");
    await held;
    expect(await answer).toBe("kept");
    expect(client.socketId).toBe("billing");
    expect(broker.stats()).toMatchObject({ accepted: 1, finished: 1, open: 0 });
  });

  test("continues when the client reconnects before the reply, and runs once", async () => {
    const { broker, address } = await startBroker();
    const replies = await startHeldWorker(address);
    const transport = new BreakableTransport();
    const client = await startClient(address, { ...STABLE, transport });
    const answer = client.collect("slow", 1, PERSIST);
    const reply = await replies.take();

    const back = eventOf(client, "connect");
    await disconnect(broker, transport);
    await back;
    reply.write(1);
    reply.end(2);
    expect(await answer).toEqual([1, 2]);
    expect(broker.stats()).toMatchObject({ accepted: 1, finished: 1, open: 0 });
  });

  test("fails with the connection after a partial, which would arrive twice", async () => {
    const { broker, address } = await startBroker();
    const replies = await startHeldWorker(address);
    const transport = new BreakableTransport();
    const client = await startClient(address, { ...STABLE, transport });
    const stream = client.request("slow", 1, PERSIST);
    const reply = await replies.take();
    reply.write("part");
    expect((await once(stream, "data"))[0]).toBe("part");

    const failed = once(stream, "error");
    await disconnect(broker, transport);
    expect((await failed)[0]).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
    reply.end("rest");
    await expect.poll(() => broker.stats()).toMatchObject({ open: 0 });
  });

  test("is run by the next broker with the same store", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    const client = await startClient(first.address, STABLE);
    const answer = client.call("echo", "data", PERSIST);
    await expect.poll(async () => (await store.all()).length).toBe(1);
    await first.broker.stop();

    const second = await startBroker({ store }, first.address);
    await startWorker(second.address, "echo", (data, reply) => reply.end(data), BRISK);
    expect(await answer).toBe("data");
  });

  test("is sent again to a broker that was killed and has lost it", { timeout: 60_000 }, async () => {
    const first = await spawnBroker();
    onTestFinished(() => void first.kill("SIGKILL"));
    const client = await startClient(first.address, STABLE);
    const answer = client.call("echo", "data", PERSIST);
    const lost = eventOf(client, "disconnect");
    await first.kill("SIGKILL");
    await lost;

    const second = await spawnBroker("--bind", first.address);
    onTestFinished(() => void second.kill("SIGKILL"));
    await startWorker(second.address, "echo", (data, reply) => reply.end(data), BRISK);
    expect(await answer).toBe("data");
  });

  test("expires by its own timeout while the broker is away", async () => {
    const { broker, address } = await startBroker();
    const client = await startClient(address, STABLE);
    const answer = client.call("nothing", 1, { persist: true, timeout: 500 });
    const lost = eventOf(client, "disconnect");
    await broker.stop();
    await lost;
    await expect(answer).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});

test("a request without persist, and one of a client without an id, fail when the connection is lost", async () => {
  const { address } = await startBroker();
  await startHeldWorker(address);
  for (const [options, callOptions] of [
    [STABLE, { timeout: 30_000 }],
    [BRISK, PERSIST],
  ] as const) {
    const transport = new BreakableTransport();
    const client = await startClient(address, { ...options, transport });
    const answer = client.call("slow", 1, callOptions);
    transport.breakLink();
    await expect(answer).rejects.toMatchObject({ code: "BROKER_LOST" });
    await client.stop();
  }
});

test("the broker rejects a second client with the id of a live one, and accepts it when the first is gone", async () => {
  const { address, rejections } = await startBroker();
  await startWorker(address, "echo", (data, reply) => reply.end(data));
  const first = await startClient(address, STABLE);
  const second = newClient(address, STABLE);
  const rejected = errorOf(second);
  const started = second.start();
  expect(await rejections.take()).toMatchObject({ code: "ROUTING_ID" });
  const detail = 'ROUTING_ID, the routing id belongs to another connection (its id is "billing")';
  expect(await rejected).toMatchObject({
    name: "LinkError",
    code: "REFUSED",
    address,
    message: expect.stringContaining(detail),
  });
  expect(await first.call("echo", 1)).toBe(1);

  await first.stop();
  await started;
  expect(await second.call("echo", 2)).toBe(2);
});

/** libzmq's links, and the connections of its dealers. */
class ObservedTransport implements Transport {
  readonly isSecurable = true;
  readonly router: Transport["router"] = libzmq.router;
  readonly publisher: Transport["publisher"] = libzmq.publisher;
  readonly subscriber: Transport["subscriber"] = libzmq.subscriber;
  readonly connections = new Inbox<number>();

  dealer: Transport["dealer"] = (handlers, options) => {
    const onUp = (facts: PeerFacts): void => {
      handlers.onUp?.(facts);
      this.connections.add(this.connections.items.length);
    };
    return libzmq.dealer({ ...handlers, onUp }, options);
  };
}

test("over libzmq, a second client with a taken id is connected and never answered; it warns and tries again", async () => {
  const keys = new Keys();
  const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown });
  const first = await startClient(address, { ...STABLE, curve: keys.curve(keys.client) });
  const clock = new FakeClock();
  const transport = new ObservedTransport();
  const warnings: string[] = [];
  const logger = { ...console, debug() {}, info() {}, warn: (_: object, text: string): unknown => warnings.push(text) };
  const curve = keys.curve(keys.client);
  const second = newClient(address, { clientId: "billing", curve, clock, transport, logger });
  const started = second.start();
  await transport.connections.take();
  clock.advance(3_000);
  expect(warnings).toEqual([
    `a client is not connected after 3 s: ${address} accepted the connection and did not answer: it may be no broker, or know another peer with the id "billing"`,
  ]);
  // Neither libzmq's router nor ZAP, which has no routing id, reports the second one to the broker.
  expect(rejections.items).toEqual([]);

  await first.stop();
  clock.advance(4_500);
  clock.advance(1_500);
  await started;
});

test("a restarted client drops and reports the reply to a request that it made before", async () => {
  const { broker, address } = await startBroker();
  const replies = await startHeldWorker(address);
  const before = new RawPeer(address, "billing");
  await before.send("C", "2", "slow", "r1", "1", JSON.stringify({ persist: 1 }));
  const reply = await replies.take();
  const left = new Promise((resolve) => void broker.once("client:leave", resolve));
  before.close();
  await left;
  reply.end("late");

  const restarted = newClient(address, STABLE);
  const dropped = errorOf(restarted);
  await restarted.start();
  expect((await dropped).message).toBe(
    'dropped a reply to the request r1, which an earlier client with the id "billing" made',
  );
  const answer = restarted.call("slow", 2, PERSIST);
  (await replies.take()).end("on time");
  expect(await answer).toBe("on time");
});

function eventOf(client: Client, event: "connect" | "disconnect"): Promise<unknown> {
  return new Promise((resolve) => void client.once(event, () => resolve(undefined)));
}

function errorOf(client: Client): Promise<Error> {
  return new Promise((resolve) => void client.once("error", resolve));
}

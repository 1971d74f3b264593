// Many services, workers and clients with one broker, over tcp, also in one process.

import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

test("one process is client and worker of the same broker", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  await startWorker(address, "inner", (data, reply) => reply.end(`inner ${data}`));
  await startWorker(address, "outer", async (data, reply) => reply.end(`outer ${await client.call("inner", data)}`));

  expect(await client.call("outer", "here")).toBe("outer inner here");
});

test("every worker of 50 services with three workers each gets a request", { timeout: 60_000 }, async () => {
  const { address } = await startBroker();
  const services = Array.from({ length: 50 }, (_, number) => `service-${number}`);
  const reached = new Set<string>();
  await Promise.all(
    services.flatMap((service) => {
      const held: (() => void)[] = [];
      return ["a", "b", "c"].map((name) =>
        startWorker(address, service, (data, reply) => {
          reached.add(`${service} ${name}`);
          // No worker replies before all three have a request, so that each gets one.
          held.push(() => reply.end(data));
          if (held.length === 3) for (const answer of held) answer();
        }),
      );
    }),
  );
  const client = await startClient(address);
  const requests = services.flatMap((service) => [1, 2, 3].map((number) => client.call(service, number)));

  expect(await Promise.all(requests)).toEqual(services.flatMap(() => [1, 2, 3]));
  expect(reached.size).toBe(150);
});

test("each of 100 concurrent clients gets its own replies", { timeout: 60_000 }, async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data, reply) => reply.end(data));
  const clients = await Promise.all(Array.from({ length: 100 }, () => startClient(address)));

  const answers = await Promise.all(
    clients.map((client, number) => Promise.all([0, 1, 2].map((part) => client.call("echo", [number, part])))),
  );
  expect(answers).toEqual(clients.map((_, number) => [0, 1, 2].map((part) => [number, part])));
});

test("requestStream returns a stream of the whole reply, also without data or options", async () => {
  const { address } = await startBroker();
  await startWorker(address, "count", (data, reply) => {
    reply.write("one");
    reply.end(data ?? "no data");
  });
  const client = await startClient(address);

  expect(await client.requestStream("count", "two").toArray()).toEqual(["one", "two"]);
  expect(await client.requestStream("count").toArray()).toEqual(["one", "no data"]);
});

test("over inproc a broker may start after the first request was made", async () => {
  const address = "inproc://late-broker";
  const client = new Client(address);
  const worker = new Worker(address, "echo");
  worker.on("request", (data, reply) => reply.end(data));
  onTestFinished(async () => {
    await client.stop();
    await worker.stop();
  });
  const started = [client.start(), worker.start()];
  const answer = client.call("echo", "early");

  await startBroker({}, address);
  expect(await answer).toBe("early");
  await Promise.all(started);
});

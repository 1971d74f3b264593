// Workers that a broker does not register.

import { Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const BRISK = { reconnect: 20, reconnectMaxMs: 20 };

function newWorker(address: string | readonly string[], service: string): Worker {
  const worker = new Worker(address, service, BRISK);
  onTestFinished(() => worker.stop());
  return worker;
}

test("start() rejects with the reason if the only broker has maxWorkers workers", async () => {
  const { address } = await startBroker({ maxWorkers: 1 });
  await startWorker(address, "echo", (data, reply) => reply.end(data));
  await expect(newWorker(address, "echo").start()).rejects.toMatchObject({
    name: "LinkError",
    code: "REFUSED",
    address,
    message: `cannot register a worker for "echo" at ${address}: 1 workers are registered, the most that maxWorkers allows`,
  });
});

test("start() rejects with the reason if the broker itself serves the name", async () => {
  const { address } = await startBroker();
  await expect(newWorker(address, "mmi.service").start()).rejects.toThrow(
    `cannot register a worker for "mmi.service" at ${address}: the broker itself serves "mmi.service"`,
  );
});

test("a worker with several addresses registers at the next broker, and reports the refusal", async () => {
  const [full, free] = await Promise.all([startBroker({ maxWorkers: 1 }), startBroker()]);
  await startWorker(full.address, "echo", (data, reply) => reply.end(data));
  const worker = newWorker([full.address, free.address], "echo");
  const errors: string[] = [];
  worker.on("error", ({ message }) => errors.push(message));
  worker.on("request", (_data, reply) => reply.end("served"));
  await worker.start();
  const client = await startClient(free.address);
  expect(await client.call("echo")).toBe("served");
  expect(errors).toEqual([expect.stringContaining("1 workers are registered")]);
});

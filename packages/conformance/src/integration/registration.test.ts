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
    message: `cannot register a worker for "echo" at ${address}: workers offer 1 services, the most that maxWorkers allows`,
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
  expect(errors).toEqual([expect.stringContaining("workers offer 1 services")]);
});

test("a worker that does not negotiate reports a refusal, keeps trying, and registers when there is room", async () => {
  const { address } = await startBroker({ maxWorkers: 1 });
  const first = await startWorker(address, "echo", (data, reply) => reply.end(data));
  const worker = new Worker(address, "echo", { ...BRISK, negotiate: false });
  onTestFinished(() => worker.stop());
  worker.on("request", (data, reply) => reply.end(data));
  const error = new Promise<Error>((resolve) => void worker.once("error", resolve));
  const started = worker.start();
  expect(await error).toMatchObject({
    name: "LinkError",
    code: "REFUSED",
    address,
    message: expect.stringContaining(
      `cannot register a worker for "echo" at ${address}: the broker disconnected it without a reason`,
    ),
  });
  await first.stop();
  await started;
});

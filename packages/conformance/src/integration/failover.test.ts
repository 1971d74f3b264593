// Several brokers: peers are divided among them, or have several addresses and fail over when a broker dies.

import type { Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { spawnBroker } from "../support/spawn.ts";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const BRISK = { reconnect: 50, reconnectMaxMs: 200 };

test("two brokers each serve their own clients", async () => {
  const brokers = await Promise.all([startBroker(), startBroker()]);
  const answers = await Promise.all(
    brokers.map(async ({ address }, number) => {
      await startEcho(address);
      const client = await startClient(address);
      return Promise.all([1, 2, 3].map((data) => client.call("echo", `${number}: ${data}`)));
    }),
  );

  expect(answers).toEqual([
    ["0: 1", "0: 2", "0: 3"],
    ["1: 1", "1: 2", "1: 3"],
  ]);
  expect(brokers.map(({ broker }) => broker.stats()?.accepted)).toEqual([3, 3]);
});

test("clients and workers with two broker addresses continue when one broker dies", { timeout: 60_000 }, async () => {
  const [first, second] = await Promise.all([spawnBroker(), spawnBroker()]);
  onTestFinished(async () => {
    await Promise.all([first.kill("SIGKILL"), second.kill("SIGKILL")]);
  });
  const addresses = [first.address, second.address];
  const worker = await startEcho(addresses);
  const client = await startClient(addresses, BRISK);
  expect(await client.call("echo", "before")).toBe("before");
  expect(worker.broker).toBe(first.address);

  const back = new Promise<void>((resolve) => worker.once("connect", resolve));
  await first.kill("SIGKILL");
  expect(await client.call("echo", "after", { retry: 1 })).toBe("after");
  await back;
  expect(worker.broker).toBe(second.address);
});

test("a request with retry goes to the next broker when its broker stops", async () => {
  const [first, second] = await Promise.all([startBroker({ stopTimeoutMs: 0 }), startBroker()]);
  await startEcho(second.address);
  const client = await startClient([first.address, second.address], BRISK);
  const queued = client.call("echo", "again", { retry: 1 });
  const failed = client.call("echo", "once").catch((error: unknown) => error);
  await client.call("mmi.service", "echo");

  await first.broker.stop();
  expect(await failed).toMatchObject({ code: "CLOSED", delivery: "queued" });
  expect(await queued).toBe("again");
  expect(second.broker.stats()?.accepted).toBe(1);
});

test("a client and a worker skip brokers that reject them, without a pause", async () => {
  const { address } = await startBroker();
  // With these options, a single pause or wait would make the test time out.
  const patient = { reconnect: 600_000, reconnectMaxMs: 600_000, connectTimeoutMs: 600_000 };
  const addresses = ["tcp://127.0.0.1:1", "ipc:///nonexistent/broker", address];
  await startWorker(addresses, "echo", (data, reply) => reply.end(data), patient);
  const client = await startClient(addresses, patient);
  expect(await client.call("echo", "found")).toBe("found");
});

function startEcho(address: string | readonly string[]): Promise<Worker> {
  return startWorker(address, "echo", (data, reply) => reply.end(data), BRISK);
}

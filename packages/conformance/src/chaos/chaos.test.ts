import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { afterEach, expect, test } from "vitest";
import { WorkerProcess } from "../support/worker-process.ts";
import { killInTheMiddle } from "./killing.ts";

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test("1,000 requests with retry survive the killing of a worker and of the broker: each ends once", async () => {
  const { requests, answered, failures, wrong } = await killInTheMiddle(1_000);
  expect(wrong).toBe(0);
  expect(answered + [...failures.values()].reduce((sum, count) => sum + count, 0)).toBe(requests);
  expect([...failures]).toEqual([]);
}, 60_000);

test("a worker that is stopped by SIGSTOP is noticed within its liveness, and its request goes to another", async () => {
  const heartbeat = 200;
  const broker = new Broker("tcp://127.0.0.1:*", { heartbeat });
  await broker.start();
  cleanups.push(() => broker.stop());
  const [address = ""] = broker.addresses;
  const frozen = await WorkerProcess.start({ address, service: "echo", heartbeat, holds: true });
  cleanups.push(() => frozen.kill());
  const client = new Client(address, { heartbeat });
  await client.start();
  cleanups.push(() => client.stop());

  const answer = client.call("echo", "saved", { retry: 1, timeout: 20_000 });
  await expect.poll(() => broker.stats()?.inFlight).toBe(1);
  const other = await WorkerProcess.start({ address, service: "echo", heartbeat });
  cleanups.push(() => other.kill());

  const start = performance.now();
  frozen.signal("SIGSTOP");
  const [{ reason }] = await new Promise<[{ reason: string }]>((resolve) => {
    broker.once("worker:leave", (event) => resolve([event]));
  });
  const noticedAfter = performance.now() - start;
  expect(reason).toBe("silent");
  expect(await answer).toBe("saved");
  // Three intervals of silence, counted from its last heartbeat; the rest is room for a loaded machine.
  expect(noticedAfter).toBeLessThan(3 * heartbeat + 1_000);
  frozen.signal("SIGCONT");
});

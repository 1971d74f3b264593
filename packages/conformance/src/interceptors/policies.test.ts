// Policies over tcp: what is sent again when a worker leaves in the middle of a request.

import { circuitBreaker, hedge, retry } from "@pigato/policies";
import { expect, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const SOON = { attempts: 3, backoff: { initialMs: 1 } };

/** A worker that leaves in the middle of its first request; another one takes its place. */
async function startWorkers(address: string): Promise<{ readonly runs: unknown[] }> {
  const runs: unknown[] = [];
  const leaving = await startWorker(address, "pay", async (data) => {
    runs.push(data);
    await startWorker(address, "pay", (again) => {
      runs.push(again);
      return "paid";
    });
    void leaving.stop();
    return new Promise(() => {});
  });
  return { runs };
}

test("a retry never repeats a request that may have run", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  client.use(retry(SOON));
  const { runs } = await startWorkers(address);
  await expect(client.call("pay", "5 to Ada")).rejects.toMatchObject({
    code: "WORKER_LOST",
    delivery: "maybe-executed",
  });
  expect(runs).toEqual(["5 to Ada"]);
});

test("a retry repeats a request that may have run, if its policy allows it", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  client.use(retry({ ...SOON, allowUnsafe: true }));
  const { runs } = await startWorkers(address);
  await expect(client.call("pay", "5 to Ada")).resolves.toBe("paid");
  expect(runs).toEqual(["5 to Ada", "5 to Ada"]);
});

test("a retry repeats a request that no worker has run", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  client.use(retry(SOON));
  let attempts = 0;
  client.use((next) => async (request) => {
    attempts += 1;
    if (attempts === 2) await startWorker(address, "echo", (data) => data);
    return next(request);
  });
  await expect(client.call("echo", 1, { failFast: true })).resolves.toBe(1);
  expect(attempts).toBe(2);
});

test("a hedged stream takes the first chunk, and cancels the other attempt", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  client.use(hedge({ delayMs: 5, allowUnsafe: true }));
  let canceled: Promise<unknown> | undefined;
  await startWorker(
    address,
    "count",
    (_data, reply) => {
      if (canceled === undefined) {
        canceled = new Promise((resolve) => reply.signal.addEventListener("abort", resolve));
        return;
      }
      reply.write(1);
      reply.end(2);
    },
    { concurrency: 2 },
  );
  expect(await client.request("count").toArray()).toEqual([1, 2]);
  await canceled;
});

test("an open circuit sends nothing", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  client.use(circuitBreaker({ failures: 2 }));
  let sent = 0;
  client.use((next) => (request) => {
    sent += 1;
    return next(request);
  });
  for (let request = 0; request < 4; request += 1) {
    await expect(client.call("none", 1, { failFast: true })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
  expect(sent).toBe(2);
});

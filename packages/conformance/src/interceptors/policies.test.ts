// Policies over tcp: what is sent again when a worker leaves in the middle of a request.

import { circuitBreaker, hedge, retry } from "@pigato/policies";
import { Host, service, unary } from "@pigato/service";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const SOON = { attempts: 3, backoff: { initialMs: 1 } };

function newHost(address: string): Host {
  const host = new Host(address, { stopTimeoutMs: 0 });
  onTestFinished(() => host.stop());
  return host;
}

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

describe("the option retry of a method", () => {
  const PAY = service("pay", { read: unary<string, string>({ idempotent: true }), send: unary<string, string>() });

  /** A host that leaves in the middle of its first request; another one takes its place. */
  async function startHosts(address: string): Promise<{ readonly runs: string[] }> {
    const runs: string[] = [];
    const note = (name: string) => (input: string) => {
      runs.push(`${name} ${input}`);
      return `${name} done`;
    };
    const leaving = newHost(address).serve(PAY, { read: leave, send: leave });
    async function leave(input: string): Promise<string> {
      runs.push(`first ${input}`);
      await newHost(address)
        .serve(PAY, { read: note("second"), send: note("second") })
        .start();
      void leaving.stop();
      return new Promise(() => {});
    }
    await leaving.start();
    return { runs };
  }

  test("repeats an idempotent method whose worker was lost", async () => {
    const { address } = await startBroker();
    const api = (await startClient(address)).of(PAY, { retry: SOON });
    const { runs } = await startHosts(address);
    await expect(api.read("ACME")).resolves.toBe("second done");
    expect(runs).toEqual(["first ACME", "second ACME"]);
  });

  test("never repeats any other method whose worker was lost", async () => {
    const { address } = await startBroker();
    const api = (await startClient(address)).of(PAY, { retry: SOON });
    const { runs } = await startHosts(address);
    await expect(api.send("5 to Ada")).rejects.toMatchObject({ code: "WORKER_LOST", delivery: "maybe-executed" });
    expect(runs).toEqual(["first 5 to Ada"]);
  });

  test("ends at the deadline of the call, over all attempts", async () => {
    const { broker, address } = await startBroker();
    let attempts = 0;
    broker.on("request:failed", () => {
      attempts += 1;
    });
    const api = (await startClient(address)).of(PAY, {
      retry: { attempts: 1_000, backoff: { initialMs: 20, factor: 1, jitter: false }, budget: false },
    });
    const failed = api.read("ACME", { deadline: 300, failFast: true });
    // The deadline ends a pause, or an attempt.
    await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/) });
    // One more than there are pauses of 20 ms in that time, and one for pauses that end a moment early.
    expect(attempts).toBeLessThanOrEqual(300 / 20 + 2);
  });
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

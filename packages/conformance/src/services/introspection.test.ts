// `$info`, `$stats` and `$ping` of several hosts: one is asked by its id, and a broadcast asks all.

import { Host, serverStream, service, unary } from "@pigato/service";
import { expect, onTestFinished, test } from "vitest";
import { startDirectory, until } from "../directory/start.ts";
import { startBroker, startClient } from "../support/start.ts";

const STOCKS = service("stocks", { quote: unary<string, string>(), watch: serverStream<string, string>() });

async function startHost(address: string, prefix: string): Promise<void> {
  const host = new Host(address, { prefix, stopTimeoutMs: 0 });
  onTestFinished(() => host.stop());
  host.serve(STOCKS, { quote: (ticker) => `${ticker} at ${prefix}`, watch: async function* () {} });
  await host.start();
}

test.each(["$info", "$stats", "$ping"])("P-CALL-4: every host answers %s, alone and in a broadcast", async (method) => {
  const running = await startBroker();
  await Promise.all(["one", "other"].map((prefix) => startHost(running.address, prefix)));
  await startDirectory(running);
  const client = await startClient(running.address);
  const ask = () => client.broadcast<object>("stocks", undefined, { method }).all();
  const results = await until(ask, ({ length }) => length === 2);
  expect(results.map(({ worker }) => worker.split("-")[0]).sort()).toEqual(["one", "other"]);
  for (const { worker, data } of results) {
    expect(data).toMatchObject({ service: "stocks", host: worker });
    const answer = await client.call<object>("stocks", undefined, { method, workerId: worker });
    expect(Object.keys(answer)).toEqual(Object.keys(data ?? {}));
    expect(answer).toMatchObject({ service: "stocks", host: worker });
  }
});

test("P-CALL-4: the counts of one host do not include the requests of another", async () => {
  const running = await startBroker();
  await Promise.all(["one", "other"].map((prefix) => startHost(running.address, prefix)));
  await startDirectory(running);
  const client = await startClient(running.address);
  const ask = () => client.broadcast<{ methods: unknown }>("stocks", undefined, { method: "$stats" }).all();
  const [{ worker: busy = "" } = {}] = await until(ask, ({ length }) => length === 2);
  const quote = () => client.call("stocks", "ACME", { method: "quote", workerId: busy });
  await Promise.all([quote(), quote(), quote()]);
  const counts = (await ask()).map(({ worker, data }) => [worker === busy, data?.methods]);
  const watch = { name: "watch", requests: 0, running: 0, failures: 0, refused: 0, totalMs: 0 };
  const none = { ...watch, name: "quote" };
  expect(counts).toHaveLength(2);
  expect(counts).toContainEqual([true, [{ ...none, requests: 3, totalMs: expect.any(Number) }, watch]]);
  expect(counts).toContainEqual([false, [none, watch]]);
});

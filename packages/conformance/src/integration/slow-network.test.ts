// Messages that take longer than a peer may be silent, in each of the four directions. Their bytes are signs of life (P-LIVE-1), and
// their senders get heartbeats meanwhile (P-LIVE-6).

import type { ClientOptions } from "@pigato/client";
import type { WorkerOptions } from "@pigato/worker";
import { expect, test } from "vitest";
import { type Rates, startSlowProxy } from "../support/slow-proxy.ts";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const LARGE = "x".repeat(4_000_000);
/** Peers may be silent for 2.1 s; the large message takes 4 s. */
const HEARTBEATS = { heartbeat: 700, heartbeatLiveness: 3 };
const SLOW_BYTES = 1_000_000;

interface Setting {
  readonly client?: ClientOptions;
  readonly worker?: WorkerOptions;
  readonly clientRates?: Rates;
  readonly workerRates?: Rates;
}

/** Calls through slow networks. @returns what came back, how often the handler ran, and which connections were lost */
async function callSlowly(request: string, reply: string, setting: Setting): Promise<unknown> {
  const { broker, address } = await startBroker(HEARTBEATS);
  const lost: string[] = [];
  broker.on("worker:leave", ({ reason }) => lost.push(`worker ${reason}`));
  broker.on("client:leave", ({ reason }) => lost.push(`client ${reason}`));
  const [nearClient, nearWorker] = await Promise.all([
    startSlowProxy(address, setting.clientRates ?? {}),
    startSlowProxy(address, setting.workerRates ?? {}),
  ]);
  let runs = 0;
  const worker = await startWorker(
    nearWorker,
    "echo",
    (data, handle) => {
      runs += 1;
      handle.end(data === request ? reply : "another request");
    },
    { ...HEARTBEATS, ...setting.worker },
  );
  const client = await startClient(nearClient, { ...HEARTBEATS, ...setting.client });
  worker.on("disconnect", () => lost.push("broker of the worker"));
  client.on("disconnect", () => lost.push("broker of the client"));
  const answer = await client.call("echo", request, { retry: 1, timeout: 60_000 });
  return { isWhole: answer === reply, runs, lost: [...lost] };
}

const FINE = { isWhole: true, runs: 1, lost: [] };

test.each<[string, string, string, Setting]>([
  ["a request to the broker", LARGE, "small", { clientRates: { upBytes: SLOW_BYTES } }],
  ["a request to the worker", LARGE, "small", { workerRates: { downBytes: SLOW_BYTES } }],
  ["a reply to the broker", "small", LARGE, { workerRates: { upBytes: SLOW_BYTES } }],
  ["a reply to the client", "small", LARGE, { clientRates: { downBytes: SLOW_BYTES } }],
  [
    "a request of a client that negotiates nothing",
    LARGE,
    "small",
    { client: { negotiate: false }, clientRates: { upBytes: SLOW_BYTES } },
  ],
])("%s over a slow network arrives once, and no connection is lost", { timeout: 60_000 }, async (_what, ...call) => {
  expect(await callSlowly(...call)).toEqual(FINE);
});

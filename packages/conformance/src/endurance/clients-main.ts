// The clients of an endurance run: they send requests of every kind, cancel them, let them expire, and connect and disconnect.
// Every request must have an expected outcome.

import { Client, type RequestError } from "@pigato/client";
import { serve, settingsText } from "@pigato/testkit/serve";

const CLIENTS = 4;
const AT_ONCE = 40;
/** The number of requests of one client. */
const LIFE = 1_000;

const { address, heartbeat }: { address: string; heartbeat: number } = JSON.parse(settingsText());

/** Outcomes that any request may have while workers restart, or while the machine pauses for longer than liveness allows. */
const MISHAPS: readonly string[] = ["WORKER_LOST", "CLOSED", "REJECTED", "BROKER_LOST"];

type Ask = (client: Client, seed: number) => Promise<string>;

/** Each kind of request, its further outcomes, and its frequency in percent. */
const WAYS: readonly (readonly [share: number, ends: readonly string[], ask: Ask])[] = [
  [40, ["answered"], (client, seed) => same(client, "echo", `${seed} ${"x".repeat(seed % 1_000)}`, { retry: 1 })],
  [2, ["answered"], (client, seed) => same(client, "echo", `${seed} ${"x".repeat(65_536)}`, {})],
  [8, ["answered"], (client, seed) => same(client, "cached", seed % 100, {})],
  [4, ["answered"], (client, seed) => same(client, "echo", seed, { persist: 1 })],
  [15, ["answered"], (client, seed) => stream(client, seed % 60)],
  [5, ["left"], (client, seed) => leave(client, seed % 8)],
  [8, ["DEADLINE_EXCEEDED"], (client) => same(client, "silent", 1, { timeout: 20 })],
  [6, ["CANCELED"], (client, seed) => cancel(client, seed % 10)],
  [4, ["UNAVAILABLE"], (client, seed) => same(client, `nothing ${seed % 200}`, 1, { failFast: true })],
  [4, ["WORKER_FAILED"], (client) => same(client, "failing", 1, {})],
  [4, ["answered"], (client, seed) => same(client, "moody", seed, {})],
];

async function same(client: Client, service: string, data: unknown, options: object): Promise<string> {
  const answer = await client.call(service, data, { timeout: 20_000, ...options });
  return answer === data ? "answered" : `answered with ${JSON.stringify(answer)}`;
}

async function stream(client: Client, count: number): Promise<string> {
  const parts = await client.collect("stream", count, { timeout: 20_000 });
  const isWhole = parts.length === count + 1 && parts.every((part, index) => part === (index < count ? index : "end"));
  return isWhole ? "answered" : `answered with ${parts.length} of ${count + 1} parts`;
}

async function leave(client: Client, after: number): Promise<string> {
  let read = 0;
  for await (const _part of client.request("endless", 1, { timeout: 20_000 })) {
    read += 1;
    if (read > after) break;
  }
  return "left";
}

async function cancel(client: Client, afterMs: number): Promise<string> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), afterMs);
  return await same(client, "silent", 1, { signal: controller.signal }).finally(() => clearTimeout(timer));
}

const clients: Client[] = [];
const leaving = new Set<Promise<void>>();
let asked = 0;

async function newClient(): Promise<Client> {
  const client = new Client(address, { heartbeat, reconnect: 100 });
  await client.start();
  return client;
}

async function renew(): Promise<void> {
  clients.push(await newClient());
  const oldest = clients.shift();
  if (oldest === undefined) return;
  const left = oldest.stop().finally(() => leaving.delete(left));
  leaving.add(left);
}

/** Sends one request. @returns its outcome, or a description of an unexpected one */
async function askOne(number: number): Promise<string> {
  const client = clients[number % clients.length];
  const [, ends = [], ask] = wayOf(number);
  if (client === undefined || ask === undefined) return "wrong: no client";
  const end = await ask(client, number).catch((error: RequestError) => error.code ?? String(error));
  return ends.includes(end) || MISHAPS.includes(end) ? end : `wrong: ${end} and not ${ends}`;
}

function wayOf(number: number): (typeof WAYS)[number] | [] {
  // A multiplier coprime to 100 shuffles the kinds and keeps their frequencies.
  let left = (number * 37) % 100;
  for (const way of WAYS) {
    if (left < way[0]) return way;
    left -= way[0];
  }
  return [];
}

for (let client = 0; client < CLIENTS; client++) clients.push(await newClient());

serve({
  /** Sends this many requests at a maximum rate per second. @returns the number of requests by outcome */
  run: async (argument) => {
    const { count, perSecond }: { count: number; perSecond: number } = JSON.parse(String(argument));
    const ends: Record<string, number> = {};
    const first = asked;
    const startAt = performance.now();
    const askOn = async (): Promise<void> => {
      while (asked < first + count) {
        const number = asked;
        asked += 1;
        const earlyMs = startAt + ((number - first) * 1_000) / perSecond - performance.now();
        if (earlyMs > 1) await new Promise((resolve) => setTimeout(resolve, earlyMs));
        if (number % LIFE === 0) await renew();
        const end = await askOne(number);
        ends[end] = (ends[end] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askOn));
    await Promise.all(leaving);
    return ends;
  },
});

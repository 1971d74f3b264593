// How many requests does a link carry, and what do they cost? A dealer in one process, a router that echoes in another,
// messages of six frames as the classic wire has them, over tcp, a number of them in flight. The implementations, and
// libzmq with CURVE, take turns in short bursts, so that what counts is the ratio within a round.
//
//   pnpm bench transport [rounds]

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { median } from "./rounds.ts";
import type { BurstFigures, BurstSettings } from "./transport-dealer.ts";
import { WAYS } from "./transport-links.ts";

const NAMES = [...WAYS.keys()];
const IN_FLIGHT = [1, 100, 1000];
const BURST_MS = 500;
const rounds = Number(process.argv[2] ?? 10);

interface Pair {
  readonly dealer: ChildProcess;
  readonly router: ChildProcess;
}

const pairs = await Promise.all(NAMES.map(startPair));
console.log("six frames, 20 B payload; requests/s, µs of CPU per request at dealer and router; medians of", rounds);
for (const inFlight of IN_FLIGHT) {
  const figures = NAMES.map((): BurstFigures[] => []);
  // One round to warm up, which does not count.
  for (let round = -1; round < rounds; round++) {
    for (const [index, pair] of pairs.entries()) {
      const burst = await play(pair, { inFlight, durationMs: BURST_MS });
      if (round >= 0) figures[index]?.push(burst);
    }
  }
  const base = figures[0] ?? [];
  for (const [index, name] of NAMES.entries()) {
    const own = figures[index] ?? [];
    const rate = median(own.map(({ perSecond }) => perSecond));
    const ratio = median(own.map(({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN)));
    const dealer = median(own.map(({ dealerMicros }) => dealerMicros));
    const router = median(own.map(({ routerMicros }) => routerMicros));
    const columns = [
      rate.toFixed(0).padStart(8),
      `x${ratio.toFixed(2)}`.padStart(7),
      dealer.toFixed(1),
      router.toFixed(1),
    ];
    console.log(`${String(inFlight).padStart(5)} in flight  ${name.padEnd(7)}`, columns.join("  "));
  }
}
for (const { dealer, router } of pairs) {
  dealer.kill();
  router.kill();
}

async function startPair(name: string): Promise<Pair> {
  const router = fork(new URL("./transport-router.ts", import.meta.url), [name]);
  const [address] = await once(router, "message");
  const dealer = fork(new URL("./transport-dealer.ts", import.meta.url), [name, String(address)]);
  await once(dealer, "message");
  return { dealer, router };
}

async function play({ dealer, router }: Pair, settings: BurstSettings): Promise<BurstFigures> {
  const cpuBefore = await ask(router, "cpu");
  const { count, seconds, cpuMicros } = await ask(dealer, settings);
  const routerMicros = (await ask(router, "cpu")).cpuMicros - cpuBefore.cpuMicros;
  return { perSecond: count / seconds, dealerMicros: cpuMicros / count, routerMicros: routerMicros / count };
}

async function ask(
  child: ChildProcess,
  question: BurstSettings | "cpu",
): Promise<Record<"count" | "seconds" | "cpuMicros", number>> {
  child.send(question);
  const [answer] = await once(child, "message");
  return answer;
}

// `pnpm bench transport`: requests per second of a link, and their CPU. A dealer in one process, a router that echoes in
// another, messages of six frames as on the classic wire, over tcp. The implementations, and libzmq with CURVE, take turns in
// short bursts; a ratio compares the bursts of one round.

import type { ChildProcess } from "node:child_process";
import { ask, programBeside, startChild, stopChild } from "./children.ts";
import { parseRounds } from "./command-line.ts";
import { startRun } from "./records/run-info.ts";
import { medianOf } from "./statistics.ts";
import { printResult } from "./terminal.ts";
import type { BurstSettings, BurstUsage } from "./transport/dealer.ts";
import { LINKS } from "./transport/links.ts";

const NAMES = [...LINKS.keys()];
const IN_FLIGHT = [1, 100, 1000];
const BURST_MS = 500;
const LIMIT_MS = 60_000;

interface Pair {
  readonly dealer: ChildProcess;
  readonly router: ChildProcess;
}

interface BurstFigures {
  readonly perSecond: number;
  /** Microseconds of CPU per request in each process. */
  readonly dealerMicros: number;
  readonly routerMicros: number;
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const rounds = parseRounds(args, 10);
  const finishRun = startRun(commandLine);
  const pairs: Pair[] = [];
  const rows: string[][] = [];
  try {
    for (const name of NAMES) pairs.push(await startPair(name));
    for (const inFlight of IN_FLIGHT) rows.push(...(await measure(pairs, inFlight, rounds)));
  } finally {
    await Promise.all(pairs.flatMap(({ dealer, router }) => [stopChild(dealer), stopChild(router)]));
  }
  const title = `Six frames, 20 B payload: medians of ${rounds} rounds`;
  const head = ["in flight", "link", "per second", "ratio", "dealer µs", "router µs"];
  printResult([{ title, names: 2, rows: [head, ...rows] }], finishRun(), { rounds, rows });
}

/** @returns one row per link */
async function measure(pairs: readonly Pair[], inFlight: number, rounds: number): Promise<string[][]> {
  const figures = NAMES.map((): BurstFigures[] => []);
  // The first round warms up and does not count.
  for (let round = -1; round < rounds; round++) {
    for (const [index, pair] of pairs.entries()) {
      const burst = await runBurst(pair, { inFlight, durationMs: BURST_MS });
      if (round >= 0) figures[index]?.push(burst);
    }
  }
  const base = figures[0] ?? [];
  return NAMES.map((name, index) => {
    const own = figures[index] ?? [];
    const ratios = own.map(({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN));
    return [
      String(inFlight),
      name,
      medianOf(own.map(({ perSecond }) => perSecond)).toFixed(0),
      medianOf(ratios).toFixed(2),
      medianOf(own.map(({ dealerMicros }) => dealerMicros)).toFixed(1),
      medianOf(own.map(({ routerMicros }) => routerMicros)).toFixed(1),
    ];
  });
}

async function startPair(name: string): Promise<Pair> {
  const router = startChild(programBeside(import.meta.filename, "./transport/router"), { args: [name] });
  const address = await ask<string>(router, undefined, LIMIT_MS);
  const dealer = startChild(programBeside(import.meta.filename, "./transport/dealer"), { args: [name, address] });
  await ask(dealer, undefined, LIMIT_MS);
  return { dealer, router };
}

async function runBurst({ dealer, router }: Pair, settings: BurstSettings): Promise<BurstFigures> {
  const before = await ask<number>(router, "cpu", LIMIT_MS);
  const { count, seconds, cpuMicros } = await ask<BurstUsage>(dealer, { ...settings }, LIMIT_MS);
  const routerMicros = (await ask<number>(router, "cpu", LIMIT_MS)) - before;
  return { perSecond: count / seconds, dealerMicros: cpuMicros / count, routerMicros: routerMicros / count };
}

// Compares two sides, the same peer from two checkouts. The runner samples them in turn, in short bursts and random order; a
// ratio compares two bursts that follow each other, so that a busy moment of the machine hits both.
//
// The processes are replaced several times: V8 optimizes each process a little differently, which alone makes a difference of
// some percent for as long as the process lives.

import { type Case, MANY_CLIENTS } from "../compare/cases.ts";
import type { Sample } from "../compare/peer-processes.ts";
import { shuffled } from "../compare/runner.ts";
import { medianInterval, type Spread, spreadOf } from "../statistics.ts";

/** The CPU per request may be at most this many times that of the other side. */
export const CPU_LIMIT = 1.02;

export interface Pair {
  readonly own: Sample;
  readonly other: Sample;
}

export interface PairedResult {
  readonly caseName: string;
  readonly rounds: number;
  /** Requests, or partials, per second. */
  readonly perSecond: { readonly own: Spread; readonly other: Spread };
  /** Microseconds of CPU per request, or partial, in all processes together. */
  readonly cpuMicros: { readonly own: Spread; readonly other: Spread };
  /** Speed of this side divided by that of the other. */
  readonly speedRatio: Spread;
  readonly cpuRatio: Spread;
  /** 95 % confidence interval of the median of `cpuRatio`. */
  readonly cpuInterval: readonly [low: number, high: number];
  /** Whether the CPU limit holds; unclear if the median is above it but the interval is not. */
  readonly verdict: "met" | "not met" | "unclear";
}

/** What a side must be able to do; `PeerProcesses` can. */
export interface Side {
  start(): Promise<void>;
  setConnections(connections: number): Promise<void>;
  sample(measured: Case, durationMs: number): Promise<Sample | undefined>;
  stop(): Promise<void>;
}

export interface PairedPlan {
  readonly cases: readonly Case[];
  /** Time to measure, without starting and warming up. Every case gets at least one round. */
  readonly seconds: number;
  readonly burstMs: number;
  /** How many times both sides are started. */
  readonly starts: number;
  readonly onProgress: (done: number, what: string) => void;
}

/** @param createSides creates new sides, in this order: own, other */
export async function comparePaired(
  createSides: () => readonly [own: Side, other: Side],
  { cases, seconds, burstMs, starts, onProgress }: PairedPlan,
): Promise<readonly PairedResult[]> {
  const pairs = new Map(cases.map((measured): [Case, Pair[]] => [measured, []]));
  for (let start = 0; start < starts; start++) {
    const sides = createSides();
    try {
      for (const side of shuffled(sides)) await side.start();
      for (const connections of [1, MANY_CLIENTS]) {
        const phase = cases.filter(({ clients }) => clients === connections);
        if (phase.length === 0) continue;
        for (const side of sides) await side.setConnections(connections);
        // V8 has not optimized code that ran only briefly; these figures do not count.
        for (const measured of phase) await samplePair(sides, measured, 4 * burstMs);
        const until = performance.now() + (seconds / starts) * 1_000 * (phase.length / cases.length);
        do {
          for (const measured of shuffled(phase)) {
            onProgress(start / starts, `start ${start + 1} of ${starts}: ${measured.name}`);
            pairs.get(measured)?.push(await samplePair(sides, measured, burstMs));
          }
        } while (performance.now() < until);
      }
    } finally {
      await Promise.all(sides.map((side) => side.stop()));
    }
  }
  return [...pairs].map(([{ name }, own]) => resultOf(name, own));
}

async function samplePair(sides: readonly [Side, Side], measured: Case, durationMs: number): Promise<Pair> {
  const samples = new Map<Side, Sample>();
  for (const side of shuffled(sides)) {
    const sample = await side.sample(measured, durationMs);
    if (sample !== undefined) samples.set(side, sample);
  }
  const [own, other] = [samples.get(sides[0]), samples.get(sides[1])];
  if (own === undefined || other === undefined) throw new Error(`a side cannot run the case "${measured.name}"`);
  return { own, other };
}

/** @throws Error if there are no pairs */
export function resultOf(caseName: string, pairs: readonly Pair[]): PairedResult {
  const cpuRatios = pairs.map(({ own, other }) => totalCpu(own) / totalCpu(other));
  const cpuRatio = spread(cpuRatios);
  const cpuInterval = medianInterval(cpuRatios);
  return {
    caseName,
    rounds: pairs.length,
    perSecond: {
      own: spread(pairs.map(({ own }) => own.perSecond)),
      other: spread(pairs.map(({ other }) => other.perSecond)),
    },
    cpuMicros: {
      own: spread(pairs.map(({ own }) => totalCpu(own))),
      other: spread(pairs.map(({ other }) => totalCpu(other))),
    },
    speedRatio: spread(pairs.map(({ own, other }) => own.perSecond / other.perSecond)),
    cpuRatio,
    cpuInterval,
    verdict: cpuRatio.median <= CPU_LIMIT ? "met" : cpuInterval[0] > CPU_LIMIT ? "not met" : "unclear",
  };
}

function totalCpu({ cpuMicros }: Sample): number {
  return Object.values(cpuMicros).reduce((sum, micros) => sum + (Number.isFinite(micros) ? micros : 0), 0);
}

function spread(figures: readonly number[]): Spread {
  const own = spreadOf(figures);
  if (own === undefined) throw new Error("nothing was measured");
  return own;
}

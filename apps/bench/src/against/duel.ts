// Two sides of one kind, visited in turn in a random order, in short bursts: what counts is the ratio of two bursts that
// follow each other.

import type { Case } from "../compare/cases.ts";
import { shuffled } from "../compare/conductor.ts";
import type { Troupe, Visit } from "../compare/troupe.ts";
import { type Spread, spreadOf } from "../statistics.ts";

export interface Pair {
  readonly own: Visit;
  readonly other: Visit;
}

export interface Verdict {
  readonly what: string;
  readonly rounds: number;
  /** Requests, or parts, a second. */
  readonly perSecond: { readonly own: Spread; readonly other: Spread };
  /** How many times as fast the first side is. */
  readonly speed: Spread;
  /** How many times as much CPU a request costs it, in all of its processes. */
  readonly cpu: Spread;
}

/** @param seconds how long to go on; every case gets one round at least */
export async function duel(
  [own, other]: readonly [Troupe, Troupe],
  cases: readonly Case[],
  { seconds, burstMs, onProgress }: { seconds: number; burstMs: number; onProgress(done: number, what: string): void },
): Promise<ReadonlyMap<Case, readonly Pair[]>> {
  const round = async (what: Case, durationMs: number): Promise<Pair> => {
    const visits = new Map<Troupe, Visit>();
    for (const troupe of shuffled([own, other])) {
      const visit = await troupe.visit(what, durationMs);
      if (visit !== undefined) visits.set(troupe, visit);
    }
    const [ofOwn, ofOther] = [visits.get(own), visits.get(other)];
    if (ofOwn === undefined || ofOther === undefined) throw new Error(`one side cannot do ${what.name}`);
    return { own: ofOwn, other: ofOther };
  };
  // Code that has not run for a while is not compiled for speed yet.
  for (const what of cases) {
    onProgress(0, `warming up: ${what.name}`);
    await round(what, 4 * burstMs);
  }
  const start = performance.now();
  const share = () => (performance.now() - start) / 1000 / seconds;
  const rounds = new Map(cases.map((what): [Case, Pair[]] => [what, []]));
  do {
    for (const what of shuffled(cases)) {
      onProgress(Math.min(share(), 1), what.name);
      rounds.get(what)?.push(await round(what, burstMs));
    }
  } while (share() < 1);
  return rounds;
}

/** @throws Error if nothing was measured */
export function verdictOf(what: string, pairs: readonly Pair[]): Verdict {
  const micros = ({ cpuMicros }: Visit) =>
    Object.values(cpuMicros).reduce((sum, part) => sum + (Number.isFinite(part) ? part : 0), 0);
  return {
    what,
    rounds: pairs.length,
    perSecond: {
      own: measured(pairs.map(({ own }) => own.perSecond)),
      other: measured(pairs.map(({ other }) => other.perSecond)),
    },
    speed: measured(pairs.map(({ own, other }) => own.perSecond / other.perSecond)),
    cpu: measured(pairs.map(({ own, other }) => micros(own) / micros(other))),
  };
}

function measured(figures: readonly number[]): Spread {
  const spread = spreadOf(figures);
  if (spread === undefined) throw new Error("nothing was measured");
  return spread;
}

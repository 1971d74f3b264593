// Runs several cases of one question against each other. Each case lives in a process of its own, so that none pays for
// another's heap; they take turns, round by round, so that a slow minute of the machine hits all of them; what counts is
// the median of the ratios within a round.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export interface Outcome<Name extends string> {
  readonly name: Name;
  /** What each round measured; the unit is the case's own. */
  readonly figures: readonly number[];
  readonly median: number;
  /** The median over the rounds of this case's figure divided by the base case's. */
  readonly ratio: number;
}

/**
 * Without the second, V8 guesses from the first collections which objects live long and makes them in old space at once.
 * A guess that went wrong makes a round two to three times as long, in any case, at random.
 */
const FLAGS = ["--expose-gc", "--no-allocation-site-pretenuring"];

/**
 * @param file a module that answers every message with a number, and takes its case as the first argument
 * @param base the case that the others are compared with; one of `names`
 */
export async function takeTurns<Name extends string>(
  file: URL,
  names: readonly Name[],
  base: Name,
  rounds: number,
): Promise<Outcome<Name>[]> {
  const processes = names.map((name) => fork(file, [name], { execArgv: [...process.execArgv, ...FLAGS] }));
  const figures = names.map((): number[] => []);
  try {
    // One round to warm up, which does not count.
    for (let round = -1; round < rounds; round++) {
      for (const [index, child] of processes.entries()) {
        const figure = await ask(child);
        if (round >= 0) figures[index]?.push(figure);
      }
    }
  } finally {
    for (const child of processes) child.kill();
  }
  const baseline = figures[names.indexOf(base)] ?? [];
  return names.map((name, index) => {
    const own = figures[index] ?? [];
    const ratios = own.map((figure, round) => figure / (baseline[round] ?? Number.NaN));
    return { name, figures: own, median: median(own), ratio: median(ratios) };
  });
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** At the side of the child: answers each question with what `measure` returns. */
export function answer(measure: () => number | Promise<number>): void {
  process.on("message", async () => process.send?.(await measure()));
  process.on("disconnect", () => process.exit());
}

async function ask(child: ChildProcess): Promise<number> {
  const gone = new AbortController();
  const exit = once(child, "exit", { signal: gone.signal }).then(() => {
    throw new Error(`a case ended before it answered: ${child.spawnargs.join(" ")}`);
  });
  child.send("round");
  const [figure]: unknown[] = await Promise.race([once(child, "message", { signal: gone.signal }), exit]);
  exit.catch(() => {});
  gone.abort();
  return Number(figure);
}

// Runs several cases of one question against each other. Each case lives in a process of its own, so that none pays for
// another's heap; they take turns, round by round, so that a slow minute of the machine hits all of them; what counts is
// the median of the ratios within a round.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Cost } from "./records/shapes.ts";
import { spreadOf } from "./statistics.ts";

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
  const processes: ChildProcess[] = [];
  const figures = names.map((): number[] => []);
  let onEnd = (_error: Error): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    onEnd = reject;
  });
  ended.catch(() => {});
  try {
    // One round to warm up, which does not count; each is started when the one before has had its turn, for a start is a lot
    // of work, which would hold up everybody else's.
    for (let round = -1; round < rounds; round++) {
      for (const [index, name] of names.entries()) {
        const child = processes[index] ?? start(name);
        const [figure]: unknown[] = await Promise.race([asked(child), ended]);
        if (round >= 0) figures[index]?.push(Number(figure));
      }
    }
  } finally {
    for (const child of processes) child.removeAllListeners("exit").kill();
  }
  const baseline = figures[names.indexOf(base)] ?? [];
  return names.map((name, index) => {
    const own = figures[index] ?? [];
    const ratios = own.map((figure, round) => figure / (baseline[round] ?? Number.NaN));
    return { name, figures: own, median: median(own), ratio: median(ratios) };
  });

  function start(name: Name): ChildProcess {
    const child = fork(file, [name], { execArgv: [...process.execArgv, ...FLAGS] });
    child.once("exit", (code) => onEnd(new Error(`the case "${name}" ended with ${code}`)));
    processes.push(child);
    return child;
  }
}

/** As it is kept. */
export function costOf({ figures, ratio }: Outcome<string>): Cost {
  const nanos = spreadOf(figures);
  if (nanos === undefined) throw new Error("a case was not measured");
  return { nanos, ratio };
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** A child's answer to its next round. */
function asked(child: ChildProcess): Promise<unknown[]> {
  child.send("round");
  return once(child, "message");
}

/** At the side of the child: answers each question with what `measure` returns. */
export function answer(measure: () => number | Promise<number>): void {
  process.on("message", async () => process.send?.(await measure()));
  process.on("disconnect", () => process.exit());
}

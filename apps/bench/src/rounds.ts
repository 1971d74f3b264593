// Measures several cases against each other. Each case has its own process, so that none pays for another's heap. The cases
// take turns, round by round, so that a slow minute of the machine hits all of them. The result is the median of the ratios
// within a round.

import type { ChildProcess } from "node:child_process";
import { ask, serve, startChild, stopChild } from "./children.ts";
import type { Cost } from "./records/record-types.ts";
import { medianOf, spreadOf } from "./statistics.ts";

export interface CaseFigures<Name extends string> {
  readonly name: Name;
  /** One figure per round, in the unit of the case. */
  readonly figures: readonly number[];
  readonly median: number;
  /** Median over the rounds of this case's figure divided by that of the base case. */
  readonly ratio: number;
}

/**
 * `--no-allocation-site-pretenuring`: otherwise V8 guesses from the first collections which objects live long and allocates
 * them in old space. A wrong guess makes a round two to three times as long, at random.
 */
const NODE_FLAGS = ["--expose-gc", "--no-allocation-site-pretenuring"];
/** A round of the largest case, its setup included, on a busy machine. */
const ROUND_MS = 300_000;

/**
 * @param program answers every message with a number (`serveRounds`); its argument is the name of the case
 * @param base the case that the ratios compare with; one of `names`
 */
export async function measureInRounds<Name extends string>(
  program: URL,
  names: readonly Name[],
  base: Name,
  rounds: number,
): Promise<CaseFigures<Name>[]> {
  const children: ChildProcess[] = [];
  const figures = names.map((): number[] => []);
  try {
    // The first round warms up and does not count. It starts each process only after the turn of the one before: a start takes
    // so much CPU that it would disturb the others.
    for (let round = -1; round < rounds; round++) {
      for (const [index, name] of names.entries()) {
        const child = children[index] ?? startChild(program, { args: [name], nodeFlags: NODE_FLAGS });
        children[index] = child;
        const figure = await ask<number>(child, "round", ROUND_MS);
        if (round >= 0) figures[index]?.push(figure);
      }
    }
  } finally {
    await Promise.all(children.map(stopChild));
  }
  const baseFigures = figures[names.indexOf(base)] ?? [];
  return names.map((name, index) => {
    const own = figures[index] ?? [];
    const ratios = own.map((figure, round) => figure / (baseFigures[round] ?? Number.NaN));
    return { name, figures: own, median: medianOf(own), ratio: medianOf(ratios) };
  });
}

/** In the child: answers each round with what `measure` returns. */
export function serveRounds(measure: () => number | Promise<number>): void {
  serve(measure);
}

export function costOf({ figures, ratio }: CaseFigures<string>): Cost {
  const nanos = spreadOf(figures);
  if (nanos === undefined) throw new Error("a case has no figures");
  return { rounds: figures.length, nanos, ratio };
}

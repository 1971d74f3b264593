// What the questions that take turns are told: how many rounds, and whether to keep the figures.

import { parseArgs } from "node:util";

interface QuestionArguments {
  /** Words before the number of rounds. */
  readonly words: readonly string[];
  readonly rounds: number | undefined;
  /** Whether to keep the figures in docs/benchmarks, and to write the page there anew. */
  readonly page: boolean;
  /** What to call the machine on the page. */
  readonly machine: string | undefined;
}

/** @throws Error for what is no number of rounds */
export function questionArguments(): QuestionArguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { page: { type: "boolean", default: false }, machine: { type: "string" } },
  });
  const words = positionals.filter((text) => /^[a-z]+$/.test(text));
  const [text] = positionals.filter((each) => !words.includes(each));
  const rounds = text === undefined ? undefined : Number(text);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`no number of rounds: ${text}`);
  return { words, rounds, page: values.page, machine: values.machine };
}

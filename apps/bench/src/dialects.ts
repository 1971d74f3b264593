// `pnpm bench dialects`: CPU per request of a whole broker in each dialect, and where two dialects meet.

import { programBeside } from "./children.ts";
import { parseRounds } from "./command-line.ts";
import { dialectTable } from "./page/scale-tables.ts";
import type { DialectsResult } from "./records/record-types.ts";
import { startRun } from "./records/run-info.ts";
import { costOf, measureInRounds } from "./rounds.ts";
import { printResult } from "./terminal.ts";

/** The dialect of the clients, then that of the workers. */
const PAIRS = [
  "pigato pigato",
  "mdp02 mdp02",
  "mdp01 mdp01",
  "omdp omdp",
  "butler butler",
  "pigato mdp02",
  "mdp02 pigato",
] as const;

export async function measureDialects(rounds: number): Promise<DialectsResult> {
  const program = programBeside(import.meta.filename, "./broker/dialects-load");
  const measured = await measureInRounds(program, PAIRS, "pigato pigato", rounds);
  return {
    pairs: measured.map((each) => {
      const [client = "", worker = ""] = each.name.split(" ");
      return { client, worker, ...costOf(each) };
    }),
  };
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const result = await measureDialects(parseRounds(args, 5));
  printResult([dialectTable(result)], finishRun(), result);
}

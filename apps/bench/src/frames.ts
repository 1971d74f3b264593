// `pnpm bench frames`: what a round trip pays for its frames, and what one frame with all names of a message would save.

import { parseRounds } from "./command-line.ts";
import { startRun } from "./records/run-info.ts";
import { measureInRounds } from "./rounds.ts";
import { whole } from "./table.ts";
import { printResult } from "./terminal.ts";

const FORMS = ["frames", "envelope"] as const;
/** It reaches into the sources of the transport, so it runs from source. */
const PROGRAM = new URL("../src/frames/load.ts", import.meta.url);

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const forms = await measureInRounds(PROGRAM, FORMS, "frames", parseRounds(args, 15));
  const rows = forms.map(({ name, median, ratio }) => [name, whole(median), ratio.toFixed(2)]);
  const title = "Nanoseconds of CPU per round trip, encoded, written, read and decoded on all four hops";
  printResult([{ title, rows: [["form", "ns", "ratio"], ...rows] }], finishRun(), { forms });
}

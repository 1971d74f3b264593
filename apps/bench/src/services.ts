// `pnpm bench services`: what typed methods and validation add to the CPU of a call.

import { parseRounds } from "./command-line.ts";
import { startRun } from "./records/run-info.ts";
import { measureInRounds } from "./rounds.ts";
import { FORMS } from "./services/forms.ts";
import { whole } from "./table.ts";
import { printResult } from "./terminal.ts";

const IN_FLIGHT = [100, 1_000] as const;
const PROGRAM = new URL("../src/services/load.ts", import.meta.url);

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const rounds = parseRounds(args, 15);
  const results = [];
  for (const inFlight of IN_FLIGHT) {
    const names = Object.keys(FORMS).map((form) => `${form} × ${inFlight}`);
    results.push(...(await measureInRounds(PROGRAM, names, `call × ${inFlight}`, rounds)));
  }
  const rows = results.map(({ name, median, ratio }) => [name, whole(median), ratio.toFixed(3)]);
  const title =
    "Nanoseconds of CPU per call with broker, worker and client in one process, and the ratio to `client.call()`";
  printResult([{ title, rows: [["form × in flight", "ns", "ratio"], ...rows] }], finishRun(), { results });
}

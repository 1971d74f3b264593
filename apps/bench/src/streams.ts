// `pnpm bench streams`: the CPU of a chunk of streamed input, next to that of a chunk of a streamed reply.

import { parseRounds } from "./command-line.ts";
import { startRun } from "./records/run-info.ts";
import { measureInRounds } from "./rounds.ts";
import { whole } from "./table.ts";
import { printResult } from "./terminal.ts";

const DIRECTIONS = ["replies", "input of a generator", "input of an async generator", "input and replies"] as const;
export type Direction = (typeof DIRECTIONS)[number];

const PROGRAM = new URL("../src/streams/load.ts", import.meta.url);

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const results = await measureInRounds(PROGRAM, DIRECTIONS, "replies", parseRounds(args, 15));
  const rows = results.map(({ name, median, ratio }) => [name, whole(median), ratio.toFixed(3)]);
  const title = "Nanoseconds of CPU per chunk with broker, worker and client in one process, and the ratio to replies";
  printResult([{ title, rows: [["direction", "ns", "ratio"], ...rows] }], finishRun(), { results });
}

// Terminal output of the commands: results as tables, progress as a bar.

import type { RunInfo } from "./records/record-types.ts";
import { describeRun } from "./records/run-info.ts";
import { asText, type Table } from "./table.ts";

/** Prints the tables, a sentence about the run, and everything as JSON in the last line. */
export function printResult(tables: readonly Table[], run: RunInfo, result: object): void {
  for (const table of tables) console.log(asText(table));
  console.log(describeRun(run));
  console.log(JSON.stringify({ run, ...result }));
}

/** Draws a bar on a terminal and nothing elsewhere. @param done 0 to 1; 1 removes the bar */
export function showProgress(done: number, what: string): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round(done * 30);
  const bar = `${"█".repeat(filled)}${"░".repeat(30 - filled)} ${Math.round(done * 100)} %  ${what}`;
  process.stderr.write(`\r\x1b[K${done === 1 ? "" : bar}`);
}

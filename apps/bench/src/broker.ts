// `pnpm bench broker`: CPU per request of a whole broker, from socket to socket, by the number of workers, services, queued
// requests and clients. `pnpm bench core` measures the same of its core alone.

import { programBeside } from "./children.ts";
import { parseRounds } from "./command-line.ts";
import { brokerTable } from "./page/scale-tables.ts";
import type { BrokerResult } from "./records/record-types.ts";
import { startRun } from "./records/run-info.ts";
import { costOf, measureInRounds } from "./rounds.ts";
import { nameOf, SMALLEST, sizeNamed, sizesAlong } from "./sizes.ts";
import { printResult } from "./terminal.ts";

const SIZES = sizesAlong({
  workers: [10, 100, 1_000],
  services: [100, 1_000, 5_000],
  queued: [1_000, 100_000],
  clients: [1, 500, 2_000],
});

export async function measureBroker(rounds: number): Promise<BrokerResult> {
  const program = programBeside(import.meta.filename, "./broker/load");
  const measured = await measureInRounds(program, SIZES.map(nameOf), nameOf(SMALLEST), rounds);
  return { sizes: measured.map((each) => ({ ...sizeNamed(each.name), ...costOf(each) })) };
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const result = await measureBroker(parseRounds(args, 5));
  printResult([brokerTable(result)], finishRun(), result);
}

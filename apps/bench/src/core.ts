// `pnpm bench core`: CPU per request in the broker's core, by the number of workers, services, queued requests and clients, by
// dispatch mode, and by the name that a request asks for; and the memory of a queued request. Ratios compare with the
// smallest broker of the same mode, or with a request for the exact name of the only service.

import { parseRounds } from "./command-line.ts";
import { coreTables } from "./page/scale-tables.ts";
import type { CoreResult } from "./records/record-types.ts";
import { startRun } from "./records/run-info.ts";
import { costOf, measureInRounds } from "./rounds.ts";
import { nameOf, SMALLEST, sizeNamed, sizesAlong } from "./sizes.ts";
import { printResult } from "./terminal.ts";

/** Along one axis each; the other modes are measured at both ends only. */
const LOAD_SIZES = sizesAlong({
  workers: [10, 100, 1_000],
  services: [100, 1_000, 10_000],
  queued: [100, 10_000, 100_000],
  clients: [1, 1_000, 10_000],
});
const OTHER_SIZES = sizesAlong({ workers: [1_000], services: [10_000], queued: [100_000], clients: [10_000] });
const MODES = [
  ["load", LOAD_SIZES],
  ["lru", OTHER_SIZES],
  ["rand", OTHER_SIZES],
] as const;
const NAMES = ["name", "range", "wildcard", "miss", "long-miss"].flatMap((kind) => [`${kind} same`, `${kind} another`]);
const SERVICES = ["1", "10000-deep"] as const;

/** The cases reach into the broker's sources, so they run from source even if this module was built. */
const program = (name: string): URL => new URL(`../src/core/${name}.ts`, import.meta.url);

/** @param rounds of sizes, and of names */
export async function measureCore(rounds: number): Promise<CoreResult> {
  const sizes = await measureSizes(rounds);
  const names = await measureNames(rounds);
  return { sizes, names, memory: await measureMemory() };
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const result = await measureCore(parseRounds(args, 7));
  printResult(Object.values(coreTables(result)), finishRun(), result);
}

async function measureSizes(rounds: number): Promise<CoreResult["sizes"]> {
  const all: CoreResult["sizes"][number][] = [];
  for (const [mode, sizes] of MODES) {
    const cases = sizes.map((size) => `${mode} ${nameOf(size)}`);
    for (const measured of await measureInRounds(program("load"), cases, `${mode} ${nameOf(SMALLEST)}`, rounds)) {
      all.push({ mode, ...sizeNamed(measured.name.slice(mode.length + 1)), ...costOf(measured) });
    }
  }
  return all;
}

async function measureNames(rounds: number): Promise<CoreResult["names"]> {
  const cases = SERVICES.flatMap((services) => NAMES.map((name) => `${name} ${services}`));
  const measured = await measureInRounds(program("names"), cases, "name same 1", rounds);
  return measured.map((each) => {
    const [kind = "", which = "", services = ""] = each.name.split(" ");
    return { kind, which, services, ...costOf(each) };
  });
}

async function measureMemory(): Promise<CoreResult["memory"]> {
  const measured = await measureInRounds(program("memory"), ["queued", "decoded"], "decoded", 3);
  const [queuedBytes = 0, decodedBytes = 0] = measured.map(({ median }) => Math.round(median));
  return { queuedBytes, decodedBytes };
}

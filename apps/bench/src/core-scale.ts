// Question: is the cost of a request in the broker's core flat, whatever the number of workers, services, queued requests
// and clients, in every mode, and whatever name it asks for? And how much memory does a queued request take?
//
//   pnpm bench core [rounds] [--page] [--machine <text>]
//   pnpm bench core names [rounds]
//
// Ratios compare with the smallest broker of the same mode, or with one service that is asked for by its very name.

import { coreTables, namesTable } from "./page/scale-tables.ts";
import { questionArguments } from "./question-arguments.ts";
import { observed } from "./records/circumstances.ts";
import type { CoreRecord } from "./records/shapes.ts";
import { costOf, takeTurns } from "./rounds.ts";
import { keepRecord, printTables } from "./show.ts";
import { nameOf, SMALLEST, sizeNamed, sizesAlong } from "./sizes.ts";
import { asText } from "./table.ts";

const MODES = ["load", "lru", "rand"] as const;
const SIZES = [
  ...sizesAlong({
    workers: [10, 100, 1_000],
    services: [10, 100, 1_000, 10_000],
    queued: [1, 100, 1_000, 10_000, 100_000],
    clients: [1, 10, 1_000, 10_000],
  }),
  { ...SMALLEST, workers: 100, queued: 100_000 },
];
/** What is asked for, and whether the same or another each time: see core-names.ts. */
const NAMES = ["name", "range", "wildcard", "miss", "long-miss"].flatMap((kind) => [`${kind} same`, `${kind} another`]);
const SERVICES = ["1", "10000", "10000-deep"] as const;

const { words, rounds = 7, page, machine } = questionArguments();
const conclude = observed();
if (words.includes("names")) {
  const names = await measureNames();
  console.log(asText(namesTable(names)));
  console.log(JSON.stringify({ rounds, node: process.version, names }));
} else {
  const measured = { sizes: await measureSizes(), names: await measureNames(), memory: await measureMemory() };
  const record: CoreRecord = { circumstances: conclude(machine), rounds, ...measured };
  printTables(coreTables(record), record);
  if (page) await keepRecord("core", record);
}

async function measureSizes(): Promise<CoreRecord["sizes"]> {
  const all: CoreRecord["sizes"][number][] = [];
  for (const mode of MODES) {
    const cases = SIZES.map((size) => `${mode} ${nameOf(size)}`);
    const base = `${mode} ${nameOf(SMALLEST)}`;
    for (const outcome of await takeTurns(new URL("core-load.ts", import.meta.url), cases, base, rounds)) {
      all.push({ mode, ...sizeNamed(outcome.name.slice(mode.length + 1)), ...costOf(outcome) });
    }
  }
  return all;
}

async function measureNames(): Promise<CoreRecord["names"]> {
  const cases = SERVICES.flatMap((services) => NAMES.map((name) => `${name} ${services}`));
  const outcomes = await takeTurns(new URL("core-names.ts", import.meta.url), cases, "name same 1", rounds);
  return outcomes.map((outcome) => {
    const [asked = "", which = "", services = ""] = outcome.name.split(" ");
    return { asked, which, services, ...costOf(outcome) };
  });
}

async function measureMemory(): Promise<CoreRecord["memory"]> {
  const outcomes = await takeTurns(new URL("core-memory.ts", import.meta.url), ["queued", "decoded"], "decoded", 3);
  const [queuedBytes = 0, decodedBytes = 0] = outcomes.map(({ median }) => Math.round(median));
  return { queuedBytes, decodedBytes };
}

// Question: is the cost of a request in the broker's core flat, whatever the number of workers, services and queued
// requests, in every mode, and whatever name it asks for? And how much memory does a queued request take?
//
// `pnpm bench core [rounds]` prints tables, then the same as JSON. `ratio` compares with the smallest broker of the same mode,
// or with one service that is asked for by its very name; `extra` says how many nanoseconds that is for each request: a
// whole broker spends some thousands on one. `pnpm bench core names [rounds]` prints the table of the names alone.

import { type Outcome, takeTurns } from "./rounds.ts";

const MODES = ["load", "lru", "rand"] as const;
/** Workers for each service, services, queued requests. */
const SIZES = ["1 1 0", "100 1 0", "1000 1 0", "1 10000 0", "1 1 1", "1 1 100000", "100 1 100000"] as const;
/** What is asked for, and whether the same or another each time: see core-names.ts. */
const NAMES = ["name", "range", "wildcard", "miss", "long-miss"].flatMap((kind) => [`${kind} same`, `${kind} another`]);
const SERVICES = ["1", "10000", "10000-deep"] as const;

const isOfNames = process.argv[2] === "names";
const ROUNDS = Number(process.argv[isOfNames ? 3 : 2] ?? 7);

const rows = isOfNames ? [] : await measureSizes();
const names = await measureNames();
const memory = isOfNames ? undefined : await measureMemory();

if (rows.length > 0) console.table(rows);
console.table(names);
if (memory !== undefined) {
  console.log(`memory of a queued request above its 20 bytes of payload: ${memory.queuedBytes} bytes,`);
  console.log(`of which ${memory.decodedBytes} are the message as it was decoded`);
}
console.log(JSON.stringify({ question: "core-scale", rounds: ROUNDS, node: process.version, rows, names, ...memory }));

async function measureSizes(): Promise<object[]> {
  const all: object[] = [];
  for (const mode of MODES) {
    const cases = SIZES.map((sizes) => `${mode} ${sizes}`);
    const outcomes = await takeTurns(new URL("core-load.ts", import.meta.url), cases, `${mode} 1 1 0`, ROUNDS);
    for (const outcome of outcomes) {
      const [, workers, services, queued] = outcome.name.split(" ");
      all.push({ mode, workers, services, queued, ...costs(outcome, outcomes) });
    }
  }
  return all;
}

async function measureNames(): Promise<object[]> {
  const cases = SERVICES.flatMap((services) => NAMES.map((name) => `${name} ${services}`));
  const outcomes = await takeTurns(new URL("core-names.ts", import.meta.url), cases, "name same 1", ROUNDS);
  return outcomes.map((outcome) => {
    const [asked, which, services] = outcome.name.split(" ");
    return { asked, which, services, ...costs(outcome, outcomes) };
  });
}

async function measureMemory(): Promise<{ readonly queuedBytes: number; readonly decodedBytes: number }> {
  const outcomes = await takeTurns(new URL("core-memory.ts", import.meta.url), ["queued", "decoded"], "decoded", 3);
  const [queuedBytes = 0, decodedBytes = 0] = outcomes.map(({ median }) => Math.round(median));
  return { queuedBytes, decodedBytes };
}

/** The first of all outcomes is the one that the others are compared with. */
function costs({ median, ratio }: Outcome<string>, [base]: readonly Outcome<string>[]): object {
  const cost = Math.round(median);
  return {
    "ns/request": cost,
    ratio: Math.round(ratio * 100) / 100,
    extra: cost - Math.round(base?.median ?? Number.NaN),
  };
}

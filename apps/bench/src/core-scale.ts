// Question: is the cost of a request in the broker's core flat, whatever the number of workers, services and queued
// requests, in every mode? And how much memory does a queued request take?
//
// `pnpm bench core [rounds]` prints a table, then the same as JSON. `ratio` compares with the smallest broker of the same mode,
// `extra` says how many nanoseconds that is for each request: a whole broker spends some thousands on one.

import { takeTurns } from "./rounds.ts";

const MODES = ["load", "lru", "rand"] as const;
/** Workers for each service, services, queued requests. */
const SIZES = ["1 1 0", "100 1 0", "1000 1 0", "1 10000 0", "1 1 1", "1 1 100000", "100 1 100000"] as const;
const ROUNDS = Number(process.argv[2] ?? 7);

const rows = [];
for (const mode of MODES) {
  const names = SIZES.map((sizes) => `${mode} ${sizes}`);
  const outcomes = await takeTurns(new URL("core-load.ts", import.meta.url), names, `${mode} 1 1 0`, ROUNDS);
  const base = outcomes[0]?.median ?? Number.NaN;
  for (const { name, median, ratio } of outcomes) {
    const [, workers, services, queued] = name.split(" ");
    const cost = Math.round(median);
    rows.push({
      mode,
      workers,
      services,
      queued,
      "ns/request": cost,
      ratio: rounded(ratio),
      extra: cost - Math.round(base),
    });
  }
}
const memory = await takeTurns(new URL("core-memory.ts", import.meta.url), ["queued", "decoded"], "decoded", 3);
const [queuedBytes = 0, decodedBytes = 0] = memory.map(({ median }) => Math.round(median));

console.table(rows);
console.log(`memory of a queued request above its 20 bytes of payload: ${queuedBytes} bytes,`);
console.log(`of which ${decodedBytes} are the message as it was decoded`);
console.log(
  JSON.stringify({ question: "core-scale", rounds: ROUNDS, node: process.version, rows, queuedBytes, decodedBytes }),
);

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}

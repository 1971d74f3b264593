// Question: is the cost of a request in the broker's core flat, whatever the number of workers, services and queued
// requests? The goal is a ratio of at most 1.3 to the smallest broker, in every mode; and at most 1 KB of memory for a
// queued request of 20 bytes above its payload.
//
// `bench [rounds]`; prints a table, then the same as JSON.

import { takeTurns } from "./rounds.ts";

const CASES = ["1 1 0", "100 1 0", "1000 1 0", "1 10000 0", "1 1 1", "1 1 100000", "100 1 100000"] as const;
const MODES = process.argv[3]?.split(",") ?? ["load", "lru", "rand"];
const ROUNDS = Number(process.argv[2] ?? 7);

const rows = [];
for (const mode of MODES) {
  const names = CASES.map((sizes) => `${mode} ${sizes}`);
  const file = new URL("core-load.ts", import.meta.url);
  for (const { name, median, ratio } of await takeTurns(file, names, `${mode} 1 1 0`, ROUNDS)) {
    const [, workers, services, queued] = name.split(" ");
    rows.push({ mode, workers, services, queued, "ns/request": Math.round(median), ratio: round(ratio) });
  }
}
const [memory] = await takeTurns(new URL("core-memory.ts", import.meta.url), ["queued"], "queued", 3);
const bytesPerQueuedRequest = Math.round(memory?.median ?? Number.NaN);

console.table(rows);
console.log(`memory of a queued request above its payload: ${bytesPerQueuedRequest} bytes`);
console.log(
  JSON.stringify({ question: "core-scale", rounds: ROUNDS, node: process.version, rows, bytesPerQueuedRequest }),
);

function round(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}

// Question: what does a request cost the broker in each dialect, beside PIGATO, and where two of them meet?
//
//   pnpm bench dialects [rounds]

import { takeTurns } from "./rounds.ts";

/** The client's dialect, and the worker's. */
const PAIRS = [
  "pigato pigato",
  "mdp02 mdp02",
  "mdp01 mdp01",
  "omdp omdp",
  "butler butler",
  "pigato mdp02",
  "mdp02 pigato",
] as const;
const ROUNDS = Number(process.argv[2] ?? 5);

const outcomes = await takeTurns(new URL("dialects-load.ts", import.meta.url), PAIRS, "pigato pigato", ROUNDS);
const rows = outcomes.map(({ name, median, ratio }) => {
  const [client, worker] = name.split(" ");
  return { client, worker, "us/request": rounded(median / 1_000), ratio: rounded(ratio) };
});
console.table(rows);
console.log(JSON.stringify({ question: "dialects", rounds: ROUNDS, node: process.version, rows }));

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}

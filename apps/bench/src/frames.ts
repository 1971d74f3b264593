// Question: what does a round trip pay for its frames, and what would it save to send all names of a message in one?
//
//   pnpm bench frames [rounds]

import { takeTurns } from "./rounds.ts";

const FORMS = ["frames", "envelope"] as const;
const ROUNDS = Number(process.argv[2] ?? 15);

const outcomes = await takeTurns(new URL("frames-load.ts", import.meta.url), FORMS, "frames", ROUNDS);
const rows = outcomes.map(({ name, median, ratio }) => ({
  form: name,
  "ns/round trip": Math.round(median),
  ratio: Math.round(ratio * 100) / 100,
}));
console.table(rows);
console.log(JSON.stringify({ question: "frames", rounds: ROUNDS, node: process.version, rows }));

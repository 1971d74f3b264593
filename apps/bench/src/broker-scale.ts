// Question: is the cost of a request flat for a whole broker, from socket to socket, whatever the number of workers,
// services and queued requests? `core-scale` asks the same of its core alone.
//
//   pnpm bench broker [rounds]

import { takeTurns } from "./rounds.ts";

/** Workers for each service, services, queued requests. */
const SIZES = ["1 1 0", "100 1 0", "1000 1 0", "1 5000 0", "1 1 100000", "100 1 100000"] as const;
const ROUNDS = Number(process.argv[2] ?? 5);

const outcomes = await takeTurns(new URL("broker-load.ts", import.meta.url), SIZES, "1 1 0", ROUNDS);
const rows = outcomes.map(({ name, median, ratio }) => {
  const [workers, services, queued] = name.split(" ");
  return { workers, services, queued, "us/request": rounded(median / 1_000), ratio: rounded(ratio) };
});
console.table(rows);
console.log(JSON.stringify({ question: "broker-scale", rounds: ROUNDS, node: process.version, rows }));

function rounded(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}

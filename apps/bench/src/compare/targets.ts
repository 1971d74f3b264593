// What the design must hold, against others in the same run: how many times as fast PIGATO is to be.

import type { Cell } from "./cells.ts";
import { decimals, type Table } from "./table.ts";

const TARGETS: readonly (readonly [against: string, what: string, atLeast: number])[] = [
  ["pigato 0.0.46", "20 B × 1", 3],
  ["pigato 0.0.46", "20 B × 100", 12],
  ["pigato 0.0.46", "20 B × 1000", 18],
  ["pigato 0.0.46", "partials", 18],
  ["nats tuned", "20 B × 1", 1.2],
  ["nats tuned", "20 B × 100", 1.3],
  ["nats tuned", "20 B × 1000", 1.5],
  ["nats tuned", "partials", 2.5],
  ["nats tuned", "200 clients", 1],
  ["moleculer tcp", "20 B × 1", 0.9],
  ["moleculer tcp", "20 B × 100", 1.5],
  ["moleculer tcp", "20 B × 1000", 2.5],
  ["relay", "20 B × 1", 0.7],
  ["relay", "20 B × 100", 0.45],
  ["relay", "20 B × 1000", 0.4],
];

export function targetTable(titles: ReadonlyMap<string, string>, cells: readonly Cell[]): Table {
  const rows = TARGETS.map(([against, what, atLeast]) => {
    const ratio = cells.find((cell) => cell.peer === against && cell.what === what)?.ratio?.median;
    const verdict = ratio === undefined ? "not measured" : ratio >= atLeast ? "met" : "not met";
    return [titles.get(against) ?? against, what, decimals(atLeast, 2), decimals(ratio, 2), verdict];
  });
  return {
    title: "How many times as fast PIGATO is to be, and is",
    rows: [["against", "at", "at least", "measured", ""], ...rows],
  };
}

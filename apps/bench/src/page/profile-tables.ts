// For what a request's CPU is used, by process.

import type { ProfileRecord } from "../records/shapes.ts";
import { decimals, type Table } from "../table.ts";

type Cost = ProfileRecord["costs"][number];

export function profileTables({ costs }: ProfileRecord): readonly Table[] {
  const cases = [...new Set(costs.map(({ what }) => what))];
  return cases.map((what) => {
    const rows = costs.filter((cost) => cost.what === what);
    return {
      title: `Microseconds of CPU for a request at ${what}`,
      rows: [
        ["", "client", "broker", "worker", "all"],
        ...rows.map((cost) => [cost.work, ...cells([cost])]),
        ["all", ...cells(rows)],
      ],
    };
  });
}

function cells(costs: readonly Cost[]): readonly string[] {
  const sums = (["client", "broker", "worker"] as const).map((player) => sum(costs.map((cost) => cost[player])));
  return [...sums, sum(sums)].map((micros) => decimals(micros, 2));
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

// Tables of the profile: CPU per request by activity and process.

import type { ProfileResult } from "../records/record-types.ts";
import { decimals, type Table } from "../table.ts";

type Cost = ProfileResult["costs"][number];

/** One per case. */
export function profileTables({ costs }: ProfileResult): readonly Table[] {
  const cases = [...new Set(costs.map(({ caseName }) => caseName))];
  return cases.map((caseName) => {
    const rows = costs.filter((cost) => cost.caseName === caseName);
    return {
      title: `Microseconds of CPU per request at ${caseName}`,
      rows: [
        ["", "client", "broker", "worker", "all"],
        ...rows.map((cost) => [cost.activity, ...cells([cost])]),
        ["all", ...cells(rows)],
      ],
    };
  });
}

function cells(costs: readonly Cost[]): readonly string[] {
  const sums = (["client", "broker", "worker"] as const).map((role) => sum(costs.map((cost) => cost[role])));
  return [...sums, sum(sums)].map((micros) => decimals(micros, 2));
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

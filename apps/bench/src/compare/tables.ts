// Tables of a comparison: rates, ratios to the baseline, and cost.

import { decimals, megabytes, NONE, type Table, thousands } from "../table.ts";
import type { Role } from "./peer.ts";
import { PEERS } from "./peers.ts";
import type { CaseResult } from "./results.ts";
import type { Memory } from "./runner.ts";

const ROLES: readonly Role[] = ["client", "broker", "worker"];
/** The case in which the CPU of each process is compared. */
export const BUSY = "20 B × 100";

/** The measured peers, in the order of the rows. */
export function peersOf(results: readonly CaseResult[]): readonly { readonly name: string; readonly title: string }[] {
  return PEERS.filter(({ name }) => results.some(({ peer }) => peer === name));
}

export function resultOf(results: readonly CaseResult[], peer: string, caseName: string): CaseResult | undefined {
  return results.find((result) => result.peer === peer && result.caseName === caseName);
}

export function ratesTable(results: readonly CaseResult[]): Table {
  return {
    title: "Requests, or partials, per second: the median, ± half the distance between the quartiles",
    rows: grid(results, ({ perSecond: { median, low, high }, lost }) => {
      const spread = `±${((50 * (high - low)) / median).toFixed(0)}%`;
      return `${thousands(median)} ${spread}${lost > 0 ? ` (${decimals(lost * 100, 1)}% lost)` : ""}`;
    }),
  };
}

export function ratiosTable(results: readonly CaseResult[]): Table {
  return {
    title: "Speed of the first row divided by that of each other row: the median of paired ratios, and their quartiles",
    rows: grid(results, ({ ratio }) =>
      ratio === undefined
        ? NONE
        : `${decimals(ratio.median, 2)} (${decimals(ratio.low, 2)}–${decimals(ratio.high, 2)})`,
    ),
  };
}

export function cpuTable(results: readonly CaseResult[]): Table {
  return {
    title: "Microseconds of CPU per request, or partial, in all processes together: the median",
    rows: grid(results, (result) => {
      const micros = totalCpu(result);
      return micros === undefined ? NONE : micros.toFixed(micros < 10 ? 1 : 0);
    }),
  };
}

export function processTable(results: readonly CaseResult[], memory: readonly Memory[]): Table {
  const rows = peersOf(results).map(({ name, title }) => {
    const busy = resultOf(results, name, BUSY);
    const rss = memory.find((entry) => entry.peer === name)?.rssBytes;
    return [
      title,
      ...ROLES.map((role) => decimals(busy?.cpuMicros[role], 1)),
      decimals(busy === undefined ? undefined : totalCpu(busy), 1),
      ...ROLES.map((role) => megabytes(rss?.[role])),
    ];
  });
  return {
    title: `Each process: microseconds of CPU per request at ${BUSY}, and resident megabytes after all cases of one client`,
    rows: [["", ...ROLES.map((role) => `${role} µs`), "all µs", ...ROLES.map((role) => `${role} MB`)], ...rows],
  };
}

function grid(results: readonly CaseResult[], show: (result: CaseResult) => string): readonly (readonly string[])[] {
  const cases = [...new Set(results.map(({ caseName }) => caseName))];
  const rows = peersOf(results).map(({ name, title }) => [
    title,
    ...cases.map((caseName) => {
      const result = resultOf(results, name, caseName);
      return result === undefined ? NONE : show(result);
    }),
  ]);
  return [["", ...cases], ...rows];
}

/** `undefined` if no process is known. */
function totalCpu({ cpuMicros }: CaseResult): number | undefined {
  return ROLES.reduce((sum, role) => sum + (cpuMicros[role] ?? 0), 0) || undefined;
}

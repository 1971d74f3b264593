// What a comparison shows: how fast everyone is, how many times as fast the base is, and what a request costs.

import { decimals, megabytes, NONE, type Table, thousands } from "../table.ts";
import type { Cell } from "./cells.ts";
import type { Memory } from "./conductor.ts";
import { ROSTER } from "./roster.ts";
import type { PlayerName } from "./troupe.ts";

const PLAYERS: readonly PlayerName[] = ["client", "broker", "worker"];
/** The case in which the CPU of each process is compared. */
export const BUSY = "20 B × 100";

/** Of those who were measured, in the order of the rows. */
export function peersOf(cells: readonly Cell[]): readonly { readonly name: string; readonly title: string }[] {
  return ROSTER.filter(({ name }) => cells.some(({ peer }) => peer === name));
}

export function tablesOf(cells: readonly Cell[], memory: readonly Memory[]): readonly Table[] {
  const cases = [...new Set(cells.map(({ what }) => what))];
  const peers = peersOf(cells);
  const grid = (show: (cell: Cell) => string) => [
    ["", ...cases],
    ...peers.map(({ name, title }) => [
      title,
      ...cases.map((what) => {
        const found = cells.find((cell) => cell.peer === name && cell.what === what);
        return found === undefined ? NONE : show(found);
      }),
    ]),
  ];
  const costs = peers.map(({ name, title }) => {
    const busy = cells.find((cell) => cell.peer === name && cell.what === BUSY);
    const rss = memory.find((entry) => entry.peer === name)?.rssBytes;
    const cpu = PLAYERS.map((player) => decimals(busy?.cpuMicros[player], 1));
    const total = busy === undefined ? undefined : cpuOfAll(busy);
    return [title, ...cpu, decimals(total, 1), ...PLAYERS.map((player) => megabytes(rss?.[player]))];
  });
  return [
    {
      title: "Requests, or parts, a second: the median, and half the distance between the quartiles",
      rows: grid(({ perSecond, lost }) => {
        const { median, low, high } = perSecond;
        const spread = `±${((50 * (high - low)) / median).toFixed(0)}%`;
        return `${thousands(median)} ${spread}${lost > 0 ? ` (${decimals(lost * 100, 1)}% lost)` : ""}`;
      }),
    },
    {
      title:
        "How many times as fast the first line is: the median of the ratios between neighbours, and their quartiles",
      rows: grid(({ ratio }) =>
        ratio === undefined
          ? NONE
          : `${decimals(ratio.median, 2)} (${decimals(ratio.low, 2)}–${decimals(ratio.high, 2)})`,
      ),
    },
    {
      title: "Microseconds of CPU for a request, or a part, in all processes together: the median",
      rows: grid((cell) => {
        const micros = cpuOfAll(cell);
        return micros === undefined ? NONE : micros < 10 ? micros.toFixed(1) : micros.toFixed(0);
      }),
    },
    {
      title: `Of each process: microseconds of CPU for a request at ${BUSY}, and megabytes resident after all cases of one client`,
      rows: [
        ["", ...PLAYERS.map((player) => `${player} µs`), "all µs", ...PLAYERS.map((player) => `${player} MB`)],
        ...costs,
      ],
    },
  ];
}

/** `undefined` where it is not known. */
function cpuOfAll({ cpuMicros }: Cell): number | undefined {
  return PLAYERS.reduce((sum, player) => sum + (cpuMicros[player] ?? 0), 0) || undefined;
}

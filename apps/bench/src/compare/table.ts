// The figures as tables of cells, for a terminal and for a page.

import type { Cell } from "./cells.ts";
import type { Memory } from "./conductor.ts";
import type { PlayerName } from "./troupe.ts";

export interface Table {
  readonly title: string;
  /** The first row names the columns. */
  readonly rows: readonly (readonly string[])[];
}

const PLAYERS: readonly PlayerName[] = ["client", "broker", "worker"];
/** The case in which CPU is compared. */
const BUSY = "20 B × 100";

/** @param titles what to call each peer, by its name, in the order of the rows */
export function tablesOf(
  titles: ReadonlyMap<string, string>,
  cells: readonly Cell[],
  memory: readonly Memory[],
): readonly Table[] {
  const cases = [...new Set(cells.map(({ what }) => what))];
  const peers = [...titles.keys()].filter((peer) => cells.some((cell) => cell.peer === peer));
  const grid = (show: (cell: Cell) => string) => [
    ["", ...cases],
    ...peers.map((peer) => [
      titles.get(peer) ?? peer,
      ...cases.map((what) => {
        const found = cells.find((cell) => cell.peer === peer && cell.what === what);
        return found === undefined ? "–" : show(found);
      }),
    ]),
  ];
  const rate = ({ perSecond, lost }: Cell) =>
    thousands(perSecond.median) + (lost > 0 ? ` (${decimals(lost * 100, 1)} % lost)` : "");
  const costs = peers.map((peer) => {
    const busy = cells.find((cell) => cell.peer === peer && cell.what === BUSY);
    const rss = memory.find((entry) => entry.peer === peer)?.rssBytes;
    const cpu = PLAYERS.map((player) => decimals(busy?.cpuMicros[player], 1));
    const total = PLAYERS.reduce((sum, player) => sum + (busy?.cpuMicros[player] ?? 0), 0);
    return [
      titles.get(peer) ?? peer,
      ...cpu,
      decimals(total || undefined, 1),
      ...PLAYERS.map((player) => megabytes(rss?.[player])),
    ];
  });
  return [
    { title: "Requests, or parts, a second: the median", rows: grid(rate) },
    {
      title:
        "How many times as fast the first line is: the median of the ratios between neighbours, and their quartiles",
      rows: grid(({ ratio }) =>
        ratio === undefined
          ? "–"
          : `${decimals(ratio.median, 2)} (${decimals(ratio.low, 2)}–${decimals(ratio.high, 2)})`,
      ),
    },
    {
      title: `Microseconds of CPU for a request at ${BUSY}, and megabytes resident after all cases of one client`,
      rows: [
        ["", ...PLAYERS.map((player) => `${player} µs`), "all µs", ...PLAYERS.map((player) => `${player} MB`)],
        ...costs,
      ],
    },
  ];
}

export function asText({ title, rows }: Table): string {
  const widths = columnWidths(rows);
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  return `${title}\n${lines.join("\n")}\n`.replaceAll("`", "");
}

export function asMarkdown({ title, rows }: Table): string {
  const [head = [], ...rest] = rows;
  const rule = head.map((_cell, column) => (column === 0 ? "---" : "---:"));
  return `${title}:\n\n${[head, rule, ...rest].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
}

function thousands(figure: number): string {
  return figure < 10_000 ? String(Math.round(figure)) : `${(figure / 1000).toFixed(figure < 100_000 ? 1 : 0)}k`;
}

function megabytes(bytes: number | undefined): string {
  return decimals(bytes === undefined ? undefined : bytes / 2 ** 20, 0);
}

export function decimals(figure: number | undefined, count: number): string {
  return figure === undefined || Number.isNaN(figure) ? "–" : figure.toFixed(count);
}

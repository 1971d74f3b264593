// What the design must hold, and whether it does by the last runs.

import { ROSTER } from "../compare/roster.ts";
import type { Records } from "../records/records.ts";
import type { Cost, Size } from "../records/shapes.ts";
import { decimals, NONE, type Table, whole } from "../table.ts";

/** How many times as fast as a peer PIGATO is to be, in a case. */
const RATIOS: readonly (readonly [against: string, what: string, atLeast: number])[] = [
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

/** How many times as much as at the smallest of its kind a request may cost. */
const FLAT = 1.3;
/** Bytes of a queued request above its payload. */
const QUEUED_BYTES = 1024;

type Row = readonly string[];

export function verdictTable({ compare, core, broker }: Records): Table {
  return {
    title: "What the design is to hold, and what was measured",
    names: 2,
    rows: [
      ["", "at", "wanted", "measured", "quartiles", ""],
      ...RATIOS.map(([against, what, atLeast]) => {
        const ratio = compare.cells.find((cell) => cell.peer === against && cell.what === what)?.ratio;
        const title = ROSTER.find(({ name }) => name === against)?.title ?? against;
        const spread = ratio && `${decimals(ratio.low, 2)}–${decimals(ratio.high, 2)}`;
        return row(`speed beside ${title}`, what, `≥ ${atLeast}`, ratio?.median, (got) => got >= atLeast, spread);
      }),
      ...flatness(
        "the broker's core",
        core.sizes.filter(({ mode }) => mode === "load"),
      ),
      ...flatness("a whole broker", broker.sizes),
      row(
        "memory of a queued request, above its payload",
        "20 B",
        `≤ ${whole(QUEUED_BYTES)} B`,
        core.memory.queuedBytes,
        (got) => got <= QUEUED_BYTES,
      ),
      [
        "memory of a broker of which one client reads slowly",
        "10 GB streamed",
        "< 200 MB",
        NONE,
        NONE,
        "not measured here",
      ],
    ],
  };
}

function flatness(of: string, sizes: readonly (Size & Cost)[]): Row[] {
  const most = (key: keyof Size) => {
    const largest = Math.max(...sizes.map((size) => size[key]));
    return sizes.find((size) => size[key] === largest);
  };
  return (["workers", "services", "queued"] as const).map((key) => {
    const size = most(key);
    const what = key === "queued" ? "queued requests" : key;
    const at = size === undefined ? what : `${whole(size[key])} ${what}`;
    return row(`cost of a request, ${of}`, at, `≤ ${FLAT}`, size?.ratio, (got) => got <= FLAT);
  });
}

function row(
  what: string,
  at: string,
  wanted: string,
  got: number | undefined,
  holds: (got: number) => boolean,
  spread = "",
): Row {
  if (got === undefined) return [what, at, wanted, NONE, NONE, "not measured"];
  // As it is printed: what reads as the figure wanted is met.
  const rounded = got < 100 ? Number(got.toFixed(2)) : Math.round(got);
  const text = got < 100 ? got.toFixed(2) : whole(got);
  return [what, at, wanted, text, spread, holds(rounded) ? "met" : "**not met**"];
}

// The performance targets of the design, and whether a run meets them.

import { PEERS } from "../compare/peers.ts";
import { resultOf } from "../compare/tables.ts";
import type { Cost, Results, Size } from "../records/record-types.ts";
import { decimals, NONE, type Table, whole } from "../table.ts";

/** PIGATO's speed divided by that of a peer, at least. */
const SPEED_RATIOS: readonly (readonly [peer: string, caseName: string, atLeast: number])[] = [
  ["pigato 0.0.46", "20 B × 1", 3],
  ["pigato 0.0.46", "20 B × 100", 12],
  ["pigato 0.0.46", "20 B × 1000", 18],
  ["pigato 0.0.46", "partials", 18],
  ["nats tuned", "20 B × 1", 1.5],
  ["nats tuned", "20 B × 100", 1.5],
  ["nats tuned", "20 B × 1000", 1.5],
  ["nats tuned", "partials", 2.5],
  ["nats tuned", "64 KB chunks", 1.3],
  ["nats tuned", "200 clients", 1.9],
  ["moleculer tcp", "20 B × 1", 0.9],
  ["moleculer tcp", "20 B × 100", 1.5],
  ["moleculer tcp", "20 B × 1000", 2.5],
  ["relay", "20 B × 1", 0.7],
  ["relay", "20 B × 100", 0.45],
  ["relay", "20 B × 1000", 0.4],
];
/** Cost of a request divided by that of the smallest broker, at most. */
const MAX_GROWTH = 1.3;
/** Bytes of a queued request above its payload, at most. */
const MAX_QUEUED_BYTES = 1024;

export interface Target {
  readonly what: string;
  readonly at: string;
  readonly wanted: string;
  readonly measured: string;
  readonly quartiles: string;
  /** `undefined` if this run did not measure it. */
  readonly isMet: boolean | undefined;
}

export function targetsOf({ compare, core, broker }: Results): readonly Target[] {
  const loadSizes = core.sizes.filter(({ mode }) => mode === "load");
  const queued = { what: "memory of a queued request above its payload", at: "20 B" };
  return [
    ...SPEED_RATIOS.map(([peer, caseName, atLeast]) => {
      const ratio = resultOf(compare.results, peer, caseName)?.ratio;
      const title = PEERS.find(({ name }) => name === peer)?.title ?? peer;
      const quartiles = ratio && `${decimals(ratio.low, 2)}–${decimals(ratio.high, 2)}`;
      const key = { what: `speed relative to ${title}`, at: caseName, wanted: `≥ ${atLeast}` };
      return target(key, ratio?.median, (figure) => figure >= atLeast, quartiles);
    }),
    ...growthTargets("the broker's core", loadSizes),
    ...growthTargets("a whole broker", broker.sizes),
    target(
      { ...queued, wanted: `≤ ${whole(MAX_QUEUED_BYTES)} B` },
      core.memory.queuedBytes,
      (figure) => figure <= MAX_QUEUED_BYTES,
    ),
  ];
}

export function unmetTable(results: Results): Table {
  return tableOf(
    "Targets that this run does not meet, or does not measure",
    targetsOf(results).filter(({ isMet }) => isMet !== true),
  );
}

export function metTable(results: Results): Table {
  return tableOf(
    "Targets that this run meets",
    targetsOf(results).filter(({ isMet }) => isMet === true),
  );
}

function tableOf(title: string, targets: readonly Target[]): Table {
  const rows = targets.map(({ what, at, wanted, measured, quartiles }) => [what, at, wanted, measured, quartiles]);
  return { title, names: 2, rows: [["", "at", "target", "measured", "quartiles"], ...rows] };
}

/** One per axis, at the largest measured size. */
function growthTargets(of: string, sizes: readonly (Size & Cost)[]): Target[] {
  return (["workers", "services", "queued"] as const).map((axis) => {
    const largest = Math.max(...sizes.map((size) => size[axis]));
    const size = sizes.find((each) => each[axis] === largest);
    const what = `growth of the cost of a request in ${of}`;
    const at = `${whole(largest)} ${axis === "queued" ? "queued requests" : axis}`;
    return target({ what, at, wanted: `≤ ${MAX_GROWTH}` }, size?.ratio, (figure) => figure <= MAX_GROWTH);
  });
}

function target(
  key: Pick<Target, "what" | "at" | "wanted">,
  figure: number | undefined,
  holds: (figure: number) => boolean,
  quartiles = "",
): Target {
  if (figure === undefined) return { ...key, measured: NONE, quartiles: NONE, isMet: undefined };
  // Judge the printed figure: one that reads like the target meets it.
  const isSmall = figure < 100;
  const isMet = holds(isSmall ? Number(figure.toFixed(2)) : Math.round(figure));
  return { ...key, measured: isSmall ? figure.toFixed(2) : whole(figure), quartiles, isMet };
}

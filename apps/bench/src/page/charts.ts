// The charts of the page: the rates of all peers, what a request costs each process, and how that cost grows with the broker.

import type { TopLevelSpec } from "vega-lite";
import type { CaseResult } from "../compare/results.ts";
import { BUSY, peersOf } from "../compare/tables.ts";
import type { Cost, Results, Size } from "../records/record-types.ts";
import { type Axis, pointsAlong } from "../sizes.ts";
import { thousands } from "../table.ts";
import { COLORS, renderSvg } from "./svg.ts";

/** By the name of the file. */
export async function charts({ compare, core, broker }: Results): Promise<Readonly<Record<string, string>>> {
  const coreCurves = core.sizes.map((size) => ({ ...size, curve: size.mode }));
  const brokerCurve = broker.sizes.map((size) => ({ ...size, curve: "broker" }));
  return {
    "rates.svg": await ratesChart(compare.results),
    "cpu.svg": await cpuChart(compare.results),
    "core.svg": await scaleChart("the broker's core", { title: "ns of CPU per request", nanos: 1 }, coreCurves),
    "broker.svg": await scaleChart("a whole broker", { title: "µs of CPU per request", nanos: 1_000 }, brokerCurve),
  };
}

const RATES_OF = ["20 B × 1", "20 B × 100", "20 B × 1000", "partials", "200 clients"];
const ROW_HEIGHT = 22;

/** One panel per case, each with its own logarithmic scale. A dot is the median; a line joins the quartiles. */
function ratesChart(results: readonly CaseResult[]): Promise<string> {
  const titles = titlesOf(results);
  const values = results
    .filter(({ caseName }) => RATES_OF.includes(caseName))
    .map(({ peer, caseName, perSecond }) => ({
      peer: titles.get(peer),
      caseName,
      ...perSecond,
      isOurs: peer.startsWith("pigato ") && peer !== "pigato 0.0.46",
      label: thousands(perSecond.median),
      // The label goes to the side that has room.
      isFast: perSecond.median > middleOf(results.filter((result) => result.caseName === caseName)),
    }));
  const x = { type: "quantitative", scale: { type: "log", nice: true }, title: "per second" } as const;
  const axis = { format: "~s", values: [100, 1e3, 1e4, 1e5, 1e6, 1e7] };
  const spec: TopLevelSpec = {
    data: { values },
    facet: {
      column: {
        field: "caseName",
        sort: RATES_OF.filter((name) => values.some(({ caseName }) => caseName === name)),
        title: null,
      },
    },
    resolve: { scale: { x: "independent" } },
    spec: {
      width: 118,
      height: { step: ROW_HEIGHT },
      encoding: {
        y: { field: "peer", type: "nominal", sort: [...titles.values()], title: null, axis: { grid: true } },
        color: {
          field: "isOurs",
          scale: { domain: [true, false], range: [COLORS.first, COLORS.other] },
          legend: null,
        },
      },
      layer: [
        {
          mark: { type: "rule", strokeWidth: 3 },
          encoding: { x: { field: "low", ...x, axis }, x2: { field: "high" } },
        },
        {
          mark: { type: "point", filled: true, opacity: 1, size: 60 },
          encoding: { x: { field: "median", ...x, axis } },
        },
        ...([true, false] as const).map((isFast) => ({
          transform: [{ filter: { field: "isFast", equal: isFast } }],
          mark: { type: "text", align: isFast ? "right" : "left", dx: isFast ? -8 : 8 } as const,
          encoding: {
            x: { field: "median", ...x, axis },
            text: { field: "label" },
            color: { value: COLORS.text },
          } as const,
        })),
      ],
    },
  };
  return renderSvg("Requests or partials per second of each peer: median and quartiles, on logarithmic scales", spec);
}

/** Stacked bars, one part per process, with the sum at the end. */
function cpuChart(results: readonly CaseResult[]): Promise<string> {
  const roles = ["client", "broker", "worker"] as const;
  const busy = results.filter(({ caseName }) => caseName === BUSY);
  const titles = titlesOf(busy);
  const values = busy.flatMap(({ peer, cpuMicros }) =>
    roles.map((role, order) => ({ peer: titles.get(peer), role, order, micros: cpuMicros[role] ?? 0 })),
  );
  const spec: TopLevelSpec = {
    data: { values },
    width: 700,
    height: { step: ROW_HEIGHT },
    encoding: { y: { field: "peer", type: "nominal", sort: [...titles.values()], title: null } },
    layer: [
      {
        mark: { type: "bar", height: 12 },
        encoding: {
          x: {
            field: "micros",
            type: "quantitative",
            title: `µs of CPU per request at ${BUSY}`,
            axis: { tickCount: 6 },
          },
          color: { field: "role", scale: { domain: [...roles], range: [COLORS.first, COLORS.second, COLORS.third] } },
          order: { field: "order" },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 6, fontSize: 11 },
        encoding: {
          x: { field: "micros", type: "quantitative", aggregate: "sum" },
          text: { field: "micros", aggregate: "sum", format: ".0f" },
        },
      },
    ],
  };
  return renderSvg(`Microseconds of CPU per request of client, broker and worker of each peer, at ${BUSY}`, spec);
}

const AXES: readonly (readonly [axis: Axis, title: string])[] = [
  ["workers", "workers of one service"],
  ["services", "services"],
  ["queued", "queued requests"],
  ["clients", "clients"],
];

/** One panel per axis with a shared vertical scale. A line joins the points of the first curve. Sizes are ordinal: a logarithmic axis has no zero. */
function scaleChart(
  of: string,
  unit: { readonly title: string; readonly nanos: number },
  sizes: readonly (Size & Cost & { readonly curve: string })[],
): Promise<string> {
  const curves = [...new Set(sizes.map(({ curve }) => curve))];
  const values = AXES.flatMap(([axis, title]) =>
    pointsAlong(axis, sizes).map((size) => ({
      axis: title,
      curve: size.curve,
      size: size[axis],
      cost: size.nanos.median / unit.nanos,
    })),
  );
  const legend = curves.length > 1 ? {} : null;
  const spec: TopLevelSpec = {
    data: { values },
    facet: { column: { field: "axis", sort: AXES.map(([, title]) => title), title: null } },
    resolve: { scale: { x: "independent" } },
    spec: {
      width: 190,
      height: 195,
      // Other curves are measured only at both ends, so no line joins their points.
      layer: [
        { transform: [{ filter: { field: "curve", equal: curves[0] ?? "" } }], mark: { type: "line" } },
        {
          mark: { type: "point", filled: true, opacity: 1, size: 45 },
          encoding: { shape: { field: "curve", sort: curves, legend } },
        },
      ],
      encoding: {
        x: { field: "size", type: "ordinal", title: null, axis: { format: "~s", labelAngle: 0 } },
        y: { field: "cost", type: "quantitative", title: unit.title },
        color: { field: "curve", sort: curves, scale: { range: [COLORS.first, COLORS.second, COLORS.third] }, legend },
      },
    },
  };
  return renderSvg(`CPU per request in ${of}, by the number of workers, services, queued requests and clients`, spec);
}

/** Titles by the names of the peers, in the order of the tables. */
function titlesOf(results: readonly CaseResult[]): ReadonlyMap<string, string> {
  return new Map(peersOf(results).map(({ name, title }) => [name, title.replaceAll("`", "")]));
}

/** The middle of a logarithmic axis that holds these results. */
function middleOf(results: readonly CaseResult[]): number {
  const medians = results.map(({ perSecond }) => perSecond.median);
  return Math.sqrt(Math.min(...medians) * Math.max(...medians));
}

// The pictures of the page: everyone's rates, what a request costs each process, and how that grows with the broker.

import type { Cell } from "../compare/cells.ts";
import { BUSY, peersOf } from "../compare/tables.ts";
import type { Records } from "../records/records.ts";
import type { Cost, Size } from "../records/shapes.ts";
import { type Axis, pointsAlong } from "../sizes.ts";
import { thousands } from "../table.ts";
import { COLOURS, draw } from "./drawing.ts";

/** Each has a file of its own, called so. */
export function charts({ compare, core, broker }: Records): Readonly<Record<string, string>> {
  const modes = [...new Set(core.sizes.map(({ mode }) => mode))];
  return {
    "rates.svg": ratesChart(compare.cells),
    "cpu.svg": cpuChart(compare.cells),
    "core.svg": scaleChart(
      "Cost of a request in the broker's core, by the number of workers, services, queued requests and clients",
      { label: "ns of CPU a request", perNanos: 1 },
      modes.map((mode) => ({ name: mode, sizes: core.sizes.filter((size) => size.mode === mode) })),
    ),
    "broker.svg": scaleChart(
      "Cost of a request in a whole broker, by the number of workers, services, queued requests and clients",
      { label: "µs of CPU a request", perNanos: 1_000 },
      [{ name: "load", sizes: broker.sizes }],
    ),
  };
}

const RATES_OF = ["20 B × 1", "20 B × 100", "20 B × 1000", "partials", "200 clients"] as const;
const WIDTH = 980;
const NAMES_WIDTH = 225;
const ROW = 22;
/** Between panels, for half a label of each. */
const GAP = 26;

/** A dot for each median, a line between the quartiles. */
export function ratesChart(cells: readonly Cell[]): string {
  const shown = RATES_OF.filter((what) => cells.some((cell) => cell.what === what));
  // The first is at the bottom.
  const peers = peersOf(cells).toReversed();
  const panel = (WIDTH - NAMES_WIDTH) / shown.length;
  const lefts = shown.map((_what, index) => NAMES_WIDTH + index * panel);
  const colourOf = (peer: string) => (isOurs(peer) ? COLOURS.first : COLOURS.other);
  const scales = shown.map((what) => decadesOf(cells.filter((cell) => cell.what === what)));
  const marks = shown.flatMap((what, index) => {
    const found = peers.map(({ name }) => cells.find((cell) => cell.peer === name && cell.what === what));
    const place = { xAxisIndex: index, yAxisIndex: index, silent: true };
    return [
      {
        ...place,
        type: "custom",
        data: found.flatMap((cell, row) => (cell ? [[cell.perSecond.low, cell.perSecond.high, row]] : [])),
        renderItem: ({ dataIndex }: { readonly dataIndex: number }, api: Drawer) => {
          const row = api.value(2);
          const [x1, y1] = api.coord([api.value(0), row]);
          const [x2, y2] = api.coord([api.value(1), row]);
          const stroke = colourOf(found.filter((cell) => cell !== undefined)[dataIndex]?.peer ?? "");
          return { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: 3 } };
        },
      },
      {
        ...place,
        type: "scatter",
        symbolSize: 9,
        data: found.flatMap((cell, row) => (cell ? [dot(cell, row, colourOf(cell.peer), scales[index])] : [])),
      },
    ];
  });
  return draw({
    width: WIDTH,
    height: 95 + ROW * peers.length,
    description: "Requests, or parts, a second of each peer: median and quartiles, on a logarithmic scale",
    option: {
      title: shown.map((what, index) => panelTitle(what, (lefts[index] ?? 0) + (panel - GAP) / 2)),
      grid: lefts.map((left) => ({ left, width: panel - GAP, top: 32, height: ROW * peers.length })),
      xAxis: shown.map((what, gridIndex) => ({
        gridIndex,
        type: "log",
        ...scales[gridIndex],
        ...axisName(what === "partials" ? "parts a second" : "requests a second", 24),
        axisLabel: { color: COLOURS.text, fontSize: 11, formatter: tick },
        splitLine: { lineStyle: { color: COLOURS.faint } },
        axisLine: { show: false },
        axisTick: { show: false },
      })),
      yAxis: shown.map((_what, gridIndex) => ({
        gridIndex,
        type: "category",
        data: peers.map(({ title }) => title.replaceAll("`", "")),
        axisLabel: { show: gridIndex === 0, color: COLOURS.text, fontSize: 12, interval: 0 },
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: true, lineStyle: { color: COLOURS.faint } },
      })),
      series: marks,
    },
  });
}

interface Scale {
  readonly min: number;
  readonly max: number;
}

/** From one power of ten to another. */
function decadesOf(cells: readonly Cell[]): Scale {
  const least = Math.min(...cells.map(({ perSecond }) => perSecond.low));
  const most = Math.max(...cells.map(({ perSecond }) => perSecond.high));
  return { min: 10 ** Math.floor(Math.log10(least)), max: 10 ** Math.ceil(Math.log10(most)) };
}

/** With its figure at the side where there is room. */
function dot({ perSecond: { median } }: Cell, row: number, color: string, scale: Scale | undefined): object {
  const { min, max } = scale ?? { min: 1, max: 10 };
  const share = Math.log(median / min) / Math.log(max / min);
  const position = share < 0.6 ? "right" : "left";
  const label = { show: true, position, distance: 7, color: COLOURS.text, fontSize: 10, formatter: thousands(median) };
  return { value: [median, row], itemStyle: { color, opacity: 1 }, label };
}

/** Bars of the three processes, one behind the other. */
function cpuChart(cells: readonly Cell[]): string {
  const busy = cells.filter(({ what }) => what === BUSY);
  const peers = peersOf(busy).toReversed();
  const costs = peers.map(({ name }) => busy.find(({ peer }) => peer === name)?.cpuMicros);
  const totals = costs.map((cost) => (cost?.client ?? 0) + (cost?.broker ?? 0) + (cost?.worker ?? 0));
  const players = [
    ["client", COLOURS.first],
    ["broker", COLOURS.second],
    ["worker", COLOURS.third],
  ] as const;
  return draw({
    width: WIDTH,
    height: 105 + ROW * peers.length,
    description: `Microseconds of CPU for a request of each process of each peer, at ${BUSY}`,
    option: {
      legend: {
        top: 4,
        left: NAMES_WIDTH,
        itemGap: 20,
        textStyle: { color: COLOURS.text },
        data: players.map(([name]) => name),
      },
      grid: { left: NAMES_WIDTH, right: 60, top: 36, height: ROW * peers.length },
      xAxis: {
        type: "value",
        ...axisName(`µs of CPU a request, at ${BUSY}`, 26),
        axisLabel: { color: COLOURS.text },
        splitLine: { lineStyle: { color: COLOURS.faint } },
      },
      yAxis: {
        type: "category",
        data: peers.map(({ title }) => title.replaceAll("`", "")),
        axisLabel: { color: COLOURS.text, fontSize: 12, interval: 0 },
        axisLine: { show: false },
        axisTick: { show: false },
      },
      series: players.map(([name, color]) => ({
        name,
        type: "bar",
        stack: "cpu",
        silent: true,
        barWidth: 12,
        itemStyle: { color },
        data: costs.map((cost) => cost?.[name] ?? 0),
        label: {
          show: name === "worker",
          position: "right",
          color: COLOURS.text,
          fontSize: 11,
          formatter: ({ dataIndex }: { readonly dataIndex: number }) => totals[dataIndex]?.toFixed(0) ?? "",
        },
      })),
    },
  });
}

interface Curve {
  readonly name: string;
  readonly sizes: readonly (Size & Cost)[];
}

const AXES: readonly (readonly [axis: Axis, label: string])[] = [
  ["workers", "workers of one service"],
  ["services", "services"],
  ["queued", "queued requests"],
  ["clients", "clients"],
];

/** Four panels side by side with one scale. A size has a place of its own: there is no zero on a logarithmic axis. */
function scaleChart(
  description: string,
  { label, perNanos }: { readonly label: string; readonly perNanos: number },
  curves: readonly Curve[],
): string {
  const panel = (WIDTH - 70) / AXES.length;
  const highest = Math.max(...curves.flatMap(({ sizes }) => sizes.map(({ nanos }) => nanos.high / perNanos)));
  const [dots, lines] = [
    ["circle", "rect", "triangle"],
    ["solid", "dashed", "dotted"],
  ];
  const colours = [COLOURS.first, COLOURS.second, COLOURS.third];
  const pointsOf = ({ sizes }: Curve, axis: Axis) => pointsAlong(axis, sizes);
  return draw({
    width: WIDTH,
    height: 300,
    description,
    option: {
      legend: {
        show: curves.length > 1,
        top: 2,
        left: 55,
        itemGap: 20,
        textStyle: { color: COLOURS.text },
        data: curves.map(({ name }) => name),
      },
      grid: AXES.map((_axis, index) => ({ left: 62 + index * panel, width: panel - 22, top: 42, height: 195 })),
      xAxis: AXES.map(([axis, name], gridIndex) => ({
        gridIndex,
        type: "category",
        data: (curves[0] ? pointsOf(curves[0], axis) : []).map((size) => tick(size[axis])),
        ...axisName(name, 26),
        axisLabel: { color: COLOURS.text, fontSize: 11, interval: 0 },
        axisLine: { lineStyle: { color: COLOURS.other } },
        axisTick: { show: false },
      })),
      yAxis: AXES.map((_axis, gridIndex) => ({
        gridIndex,
        type: "value",
        min: 0,
        max: roundedUp(highest),
        ...(gridIndex === 0 ? axisName(label, 44) : {}),
        axisLabel: { show: gridIndex === 0, color: COLOURS.text, fontSize: 11 },
        splitLine: { lineStyle: { color: COLOURS.faint } },
      })),
      series: curves.flatMap((curve, place) =>
        AXES.map(([axis], index) => ({
          name: curve.name,
          type: "line",
          xAxisIndex: index,
          yAxisIndex: index,
          silent: true,
          symbol: dots[place % dots.length],
          symbolSize: 7,
          itemStyle: { color: colours[place % colours.length] },
          lineStyle: { color: colours[place % colours.length], width: 2, type: lines[place % lines.length] },
          data: pointsOf(curve, axis).map(({ nanos }) => nanos.median / perNanos),
        })),
      ),
    },
  });
}

/** What ECharts gives those who draw something of their own. */
interface Drawer {
  value(dimension: number): number;
  coord(point: readonly [number, number]): readonly [number, number];
}

function isOurs(peer: string): boolean {
  return peer.startsWith("pigato ") && peer !== "pigato 0.0.46";
}

function panelTitle(text: string, left: number): object {
  return {
    text,
    left,
    top: 8,
    padding: 0,
    textAlign: "center",
    textStyle: { color: COLOURS.text, fontSize: 13, fontWeight: "bold" },
  };
}

function axisName(name: string, nameGap: number): object {
  return { name, nameLocation: "middle", nameGap, nameTextStyle: { color: COLOURS.text, fontSize: 12 } };
}

function tick(figure: number): string {
  if (figure < 1_000) return String(figure);
  return figure < 1_000_000 ? `${figure / 1_000}k` : `${figure / 1_000_000}M`;
}

function roundedUp(figure: number): number {
  const unit = 10 ** Math.floor(Math.log10(figure));
  return Math.ceil((figure * 1.05) / (unit / 2)) * (unit / 2);
}

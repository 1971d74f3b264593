// Tables of what a request costs the broker: by the broker's size, by the requested name, and by dialect.

import type { BrokerResult, CoreResult, Cost, DialectsResult, Size } from "../records/record-types.ts";
import { nameOf } from "../sizes.ts";
import { NONE, type Table, whole } from "../table.ts";

const SIZE_HEADS = ["workers per service", "services", "queued", "clients"] as const;

export function coreTables(result: CoreResult): Readonly<Record<"sizes" | "names" | "memory", Table>> {
  return { sizes: coreSizesTable(result), names: namesTable(result), memory: memoryTable(result) };
}

function coreSizesTable({ sizes }: CoreResult): Table {
  const modes = [...new Set(sizes.map(({ mode }) => mode))];
  return {
    title: "Nanoseconds of CPU per request in the core, and the ratio to the smallest broker, for each `dmode`",
    names: SIZE_HEADS.length,
    rows: [
      [...SIZE_HEADS, ...modes],
      ...sizes
        .filter(({ mode }) => mode === modes[0])
        .map((size) => [
          ...sizeCells(size),
          ...modes.map((mode) =>
            nanosAndRatio(sizes.find((other) => other.mode === mode && nameOf(other) === nameOf(size))),
          ),
        ]),
    ],
  };
}

function memoryTable({ memory: { queuedBytes, decodedBytes } }: CoreResult): Table {
  return {
    title: "Bytes of a queued request of 20 bytes, above its payload",
    rows: [
      ["", "bytes"],
      ["all", whole(queuedBytes)],
      ["the decoded message alone", whole(decodedBytes)],
    ],
  };
}

const NAME_ROWS: readonly (readonly [kind: string, which: string, title: string])[] = [
  ["name", "same", "exact name, always the same"],
  ["range", "same", "version range, always the same"],
  ["wildcard", "same", "name under a wildcard, always the same"],
  ["miss", "same", "unknown name, always the same (rejected)"],
  ["long-miss", "same", "unknown name of 255 bytes, always the same"],
  ["name", "another", "exact name, 5,000 services in turn"],
  ["range", "another", "version range, a new one each time (parsed by `semver`)"],
  ["wildcard", "another", "name under a wildcard, a new one each time"],
  ["miss", "another", "unknown name, a new one each time"],
  ["long-miss", "another", "unknown name of 255 bytes, a new one each time"],
];
const SERVICE_HEADS: Readonly<Record<string, string>> = {
  "1": "1 service",
  "10000": "10,000 services",
  "10000-deep": "10,000 services, wildcards of all lengths",
};

function namesTable({ names }: CoreResult): Table {
  const services = [...new Set(names.map((entry) => entry.services))];
  const rows = NAME_ROWS.map(([kind, which, title]) => [
    title,
    ...services.map((count) =>
      nanosAndRatio(names.find((name) => name.kind === kind && name.which === which && name.services === count)),
    ),
  ]);
  return {
    title:
      "Nanoseconds of CPU per request in the core by the requested name, and the ratio to the exact name of one service",
    rows: [["requested", ...services.map((count) => SERVICE_HEADS[count] ?? count)], ...rows],
  };
}

export function brokerTable({ sizes }: BrokerResult): Table {
  return {
    title: "Microseconds of CPU per request in a whole broker, from socket to socket",
    names: SIZE_HEADS.length,
    rows: [
      [...SIZE_HEADS, "µs", "quartiles", "ratio to the smallest"],
      ...sizes.map((size) => [...sizeCells(size), ...microsAndRatio(size)]),
    ],
  };
}

const DIALECTS: Readonly<Record<string, string>> = {
  pigato: "PIGATO",
  mdp01: "MDP 0.1",
  mdp02: "MDP 0.2",
  omdp: "zmq-omdp",
};

export function dialectTable({ pairs }: DialectsResult): Table {
  const titleOf = (dialect: string) => DIALECTS[dialect] ?? dialect;
  return {
    title: "Microseconds of CPU per request in a whole broker, by dialect",
    names: 2,
    rows: [
      ["client", "worker", "µs", "quartiles", "ratio to PIGATO"],
      ...pairs.map((pair) => [titleOf(pair.client), titleOf(pair.worker), ...microsAndRatio(pair)]),
    ],
  };
}

function sizeCells({ workers, services, queued, clients }: Size): readonly string[] {
  return [workers, services, queued, clients].map(whole);
}

function nanosAndRatio(cost: Cost | undefined): string {
  if (cost === undefined) return NONE;
  return `${whole(cost.nanos.median)} (${cost.ratio.toFixed(cost.ratio < 10 ? 1 : 0)})`;
}

function microsAndRatio({ nanos, ratio }: Cost): readonly string[] {
  const micros = (figure: number) => (figure / 1000).toFixed(1);
  return [micros(nanos.median), `${micros(nanos.low)}–${micros(nanos.high)}`, ratio.toFixed(2)];
}

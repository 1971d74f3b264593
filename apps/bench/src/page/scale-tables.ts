// What a request costs the broker, by its size, by what is asked for and by dialect.

import type { BrokerRecord, CoreRecord, Cost, DialectsRecord, Size } from "../records/shapes.ts";
import { nameOf } from "../sizes.ts";
import { NONE, type Table, whole } from "../table.ts";

const SIZE_HEADS = ["workers for each", "services", "queued", "clients"] as const;

export function coreTables(record: CoreRecord): readonly Table[] {
  const modes = [...new Set(record.sizes.map(({ mode }) => mode))];
  const sizes = record.sizes.filter(({ mode }) => mode === modes[0]);
  const sizeTable: Table = {
    title:
      "Nanoseconds of CPU for a request in the core, and how many times those of the smallest broker, in each `dmode`",
    names: SIZE_HEADS.length,
    rows: [
      [...SIZE_HEADS, ...modes],
      ...sizes.map((size) => [
        ...sizeCells(size),
        ...modes.map((mode) => {
          const cost = record.sizes.find((other) => other.mode === mode && nameOf(other) === nameOf(size));
          return cost === undefined ? NONE : nanosAndRatio(cost);
        }),
      ]),
    ],
  };
  const { queuedBytes, decodedBytes } = record.memory;
  const memoryTable: Table = {
    title: "Bytes that a queued request of 20 bytes takes above those",
    rows: [
      ["", "bytes"],
      ["all of it", whole(queuedBytes)],
      ["of which the message is, as it was decoded", whole(decodedBytes)],
    ],
  };
  return [sizeTable, memoryTable, namesTable(record.names)];
}

const ASKED: Readonly<Record<string, readonly [same: string, another: string]>> = {
  name: ["the very name, the same again", "one after the other of 5,000 services"],
  range: ["a range, the same again", "a new range each time, which `semver` reads"],
  wildcard: ["a name under a wildcard, the same again", "a new name under a wildcard each time"],
  miss: ["a name that nobody offers, the same again: refused", "a new name that nobody offers each time"],
  "long-miss": ["the same of 255 bytes", "the same of 255 bytes, a new one each time"],
};

export function namesTable(names: CoreRecord["names"]): Table {
  const services = [...new Set(names.map((entry) => entry.services))];
  const heads: Readonly<Record<string, string>> = {
    "1": "1 service",
    "10000": "10,000",
    "10000-deep": "10,000, wildcards of all lengths",
  };
  const rows = (["same", "another"] as const).flatMap((which) =>
    Object.entries(ASKED).map(([asked, [same, another]]) => [
      which === "same" ? same : another,
      ...services.map((count) => {
        const cost = names.find((name) => name.asked === asked && name.which === which && name.services === count);
        return cost === undefined ? NONE : nanosAndRatio(cost);
      }),
    ]),
  );
  return {
    title:
      "Nanoseconds of CPU for a request in the core, by what it asks for, and how many times those of one service under its very name",
    rows: [["asked for", ...services.map((count) => heads[count] ?? count)], ...rows],
  };
}

export function brokerTables({ sizes }: BrokerRecord): readonly Table[] {
  return [
    {
      title: "Microseconds of CPU for a request in a whole broker, from socket to socket",
      names: SIZE_HEADS.length,
      rows: [
        [...SIZE_HEADS, "µs", "quartiles", "beside the smallest"],
        ...sizes.map((size) => [...sizeCells(size), ...microsAndRatio(size)]),
      ],
    },
  ];
}

const DIALECTS: Readonly<Record<string, string>> = {
  pigato: "PIGATO",
  mdp01: "MDP 0.1",
  mdp02: "MDP 0.2",
  omdp: "zmq-omdp",
};

export function dialectTables({ pairs }: DialectsRecord): readonly Table[] {
  return [
    {
      title: "Microseconds of CPU for a request in a whole broker, by dialect",
      names: 2,
      rows: [
        ["client", "worker", "µs", "quartiles", "beside PIGATO"],
        ...pairs.map((pair) => [
          DIALECTS[pair.client] ?? pair.client,
          DIALECTS[pair.worker] ?? pair.worker,
          ...microsAndRatio(pair),
        ]),
      ],
    },
  ];
}

function sizeCells({ workers, services, queued, clients }: Size): readonly string[] {
  return [workers, services, queued, clients].map(whole);
}

function nanosAndRatio({ nanos, ratio }: Cost): string {
  return `${whole(nanos.median)} (${ratio.toFixed(ratio < 10 ? 1 : 0)})`;
}

function microsAndRatio({ nanos, ratio }: Cost): readonly string[] {
  const micros = (figure: number) => (figure / 1000).toFixed(1);
  return [micros(nanos.median), `${micros(nanos.low)}–${micros(nanos.high)}`, ratio.toFixed(2)];
}

// Question: is the cost of a request flat for a whole broker, from socket to socket, whatever the number of workers,
// services, queued requests and clients? `core-scale` asks the same of its core alone.
//
//   pnpm bench broker [rounds] [--page] [--machine <text>]

import { brokerTables } from "./page/scale-tables.ts";
import { questionArguments } from "./question-arguments.ts";
import { observed } from "./records/circumstances.ts";
import type { BrokerRecord } from "./records/shapes.ts";
import { costOf, takeTurns } from "./rounds.ts";
import { keepRecord, printTables } from "./show.ts";
import { nameOf, SMALLEST, sizeNamed, sizesAlong } from "./sizes.ts";

const SIZES = [
  ...sizesAlong({
    workers: [10, 100, 1_000],
    services: [10, 100, 1_000, 5_000],
    queued: [1_000, 100_000],
    clients: [1, 10, 500, 2_000],
  }),
  { ...SMALLEST, workers: 100, queued: 100_000 },
];

const { rounds = 5, page, machine } = questionArguments();
const conclude = observed();
const outcomes = await takeTurns(
  new URL("broker-load.ts", import.meta.url),
  SIZES.map(nameOf),
  nameOf(SMALLEST),
  rounds,
);
const record: BrokerRecord = {
  circumstances: conclude(machine),
  rounds,
  sizes: outcomes.map((outcome) => ({ ...sizeNamed(outcome.name), ...costOf(outcome) })),
};
printTables(brokerTables(record), record);
if (page) await keepRecord("broker", record);

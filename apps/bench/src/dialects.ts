// Question: what does a request cost the broker in each dialect, beside PIGATO, and where two of them meet?
//
//   pnpm bench dialects [rounds] [--page] [--machine <text>]

import { dialectTables } from "./page/scale-tables.ts";
import { questionArguments } from "./question-arguments.ts";
import { observed } from "./records/circumstances.ts";
import type { DialectsRecord } from "./records/shapes.ts";
import { costOf, takeTurns } from "./rounds.ts";
import { keepRecord, printTables } from "./show.ts";

/** The client's dialect, and the worker's. */
const PAIRS = [
  "pigato pigato",
  "mdp02 mdp02",
  "mdp01 mdp01",
  "omdp omdp",
  "butler butler",
  "pigato mdp02",
  "mdp02 pigato",
] as const;

const { rounds = 5, page, machine } = questionArguments();
const conclude = observed();
const outcomes = await takeTurns(new URL("dialects-load.ts", import.meta.url), PAIRS, "pigato pigato", rounds);
const record: DialectsRecord = {
  circumstances: conclude(machine),
  rounds,
  pairs: outcomes.map((outcome) => {
    const [client = "", worker = ""] = outcome.name.split(" ");
    return { client, worker, ...costOf(outcome) };
  }),
};
printTables(dialectTables(record), record);
if (page) await keepRecord("dialects", record);

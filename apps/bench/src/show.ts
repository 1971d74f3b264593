// What becomes of a run: tables on the terminal, JSON in the last line, and, where that is asked for, the page.

import { asSentence } from "./records/circumstances.ts";
import { type Records, writeRecord } from "./records/records.ts";
import { asText, type Table } from "./table.ts";

export function printTables(tables: readonly Table[], record: Records[keyof Records]): void {
  for (const table of tables) console.log(asText(table));
  console.log(asSentence(record.circumstances));
  console.log(JSON.stringify(record));
}

/** Keeps it in docs/benchmarks, and writes the page there anew. */
export async function keepRecord<Name extends keyof Records>(name: Name, record: Records[Name]): Promise<void> {
  writeRecord(name, record);
  // Drawing is for those who ask for it: the library is large.
  const { writePage } = await import("./page/page.ts");
  await writePage();
}

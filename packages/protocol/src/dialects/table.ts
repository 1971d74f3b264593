// Dialects by id. Inputs and effects of the broker carry an id instead of a dialect, so that they are data which can be
// stored and replayed.

import type { BrokerDialect } from "./dialect.ts";

export type DialectTable = ReadonlyMap<string, BrokerDialect>;

/** Dialects that share an id have the same traits and the same encoders, so the table keeps the first. */
export function dialectTable(dialects: Iterable<BrokerDialect>): DialectTable {
  const table = new Map<string, BrokerDialect>();
  for (const dialect of dialects) {
    if (!table.has(dialect.id)) table.set(dialect.id, dialect);
  }
  return table;
}

/** @throws Error for an id that the table does not hold */
export function dialectById(table: DialectTable, id: string): BrokerDialect {
  const dialect = table.get(id);
  if (dialect === undefined) throw new Error(`unknown dialect "${id}"`);
  return dialect;
}

// The dialects as scenarios name them.

import { type BrokerDialect, butler as butlerDialect, type Dialect, majordomo, omdp, pigato } from "@pigato/protocol";
import type { DialectTraits } from "@pigato/protocol/internal";

const [first, second] = [byId("mdp01"), byId("mdp02")];

export const mdp01: Dialect = first;
export const mdp02: Dialect = second;
/** The clients of this one get failures. */
export const answeringMdp02: Dialect = byId("mdp02+errors", majordomo({ answersErrors: true }));
export const butler: BrokerDialect = butlerDialect({ readsWorkers: true, wallClock: () => 0 });

/** Dialects whose workers take one request at a time. */
export const SEQUENTIAL: readonly BrokerDialect[] = [mdp01, mdp02, omdp, butler];
/** Dialects whose workers are silent while they work. */
export const SILENT_WHILE_BUSY: readonly BrokerDialect[] = [mdp01, mdp02, butler];
export const ALL: readonly BrokerDialect[] = [pigato, ...SEQUENTIAL];

export const TRAITS: Readonly<Record<string, DialectTraits>> = Object.fromEntries(
  [...ALL, ...majordomo(), answeringMdp02].map(({ id, traits }) => [id, traits]),
);

function byId(id: string, dialects: readonly Dialect[] = majordomo()): Dialect {
  const found = dialects.find((dialect) => dialect.id === id);
  if (found === undefined) throw new Error(`no dialect ${id}`);
  return found;
}

import { expect, test } from "vitest";
import { majordomo } from "./mdp/index.ts";
import { omdp } from "./omdp/index.ts";
import { pigato } from "./pigato/index.ts";
import { dialectById, dialectTable } from "./table.ts";

test("a table finds each dialect by its id", () => {
  const dialects = [pigato, omdp, ...majordomo()];
  const table = dialectTable(dialects);
  expect(table.size).toBe(dialects.length);
  for (const dialect of dialects) expect(dialectById(table, dialect.id)).toBe(dialect);
});

test("an unknown id throws", () => {
  expect(() => dialectById(dialectTable([pigato]), "telepathy")).toThrow('unknown dialect "telepathy"');
});

test("a Majordomo dialect that answers errors has an id of its own, because its traits and encoders differ", () => {
  const table = dialectTable([...majordomo(), ...majordomo({ answersErrors: true })]);
  expect(dialectById(table, "mdp02").traits.hearsOfExpiry).toBe(false);
  expect(dialectById(table, "mdp02+errors").traits.hearsOfExpiry).toBe(true);
});

test("Majordomo dialects with different timeouts share one id", () => {
  expect(dialectTable([...majordomo({ timeoutMs: 1 }), ...majordomo({ timeoutMs: 2 })]).size).toBe(majordomo().length);
});

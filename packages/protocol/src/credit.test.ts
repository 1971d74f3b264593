import { expect, test } from "vitest";
import {
  addCredit,
  addCreditBytes,
  creditFromWire,
  GRANT_BYTES,
  MAX_CREDIT,
  MAX_CREDIT_BYTES,
  spendBytes,
} from "./credit.ts";
import { writeText } from "./ids.ts";

test("credit is counted up to its cap, at which it is not limited", () => {
  expect([addCredit(2, 3), addCredit(MAX_CREDIT - 1, 5), addCredit(MAX_CREDIT, 1)]).toEqual([
    5,
    MAX_CREDIT,
    MAX_CREDIT,
  ]);
});

test("P-STREAM-11: a grant restores a part of the credit in bytes, and a chunk may be larger than what is left", () => {
  expect([addCreditBytes(0), addCreditBytes(MAX_CREDIT_BYTES - 1)]).toEqual([GRANT_BYTES, MAX_CREDIT_BYTES]);
  expect([spendBytes(5, 4), spendBytes(5, 5), spendBytes(5, 6)]).toEqual([1, 0, 0]);
});

test.each([
  ["16", 16],
  ["99999999999", MAX_CREDIT],
  ["999999999999999", MAX_CREDIT],
  ["1000000000000000", 0],
  ["0", 0],
  ["-1", 0],
  ["1.5", 0],
  ["many", 0],
  ["0x10", 0],
  ["1e3", 0],
  [" 5", 0],
  ["+5", 0],
  ["", 0],
])("a grant of %j grants %d chunks", (text, chunks) => {
  expect(creditFromWire(writeText(text))).toBe(chunks);
});

test("a message without a grant grants nothing", () => {
  expect(creditFromWire(undefined)).toBe(0);
});

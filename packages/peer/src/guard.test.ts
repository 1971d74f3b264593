import { uncaughtErrors } from "@pigato/testkit";
import { expect, test } from "vitest";
import { guardedLogger, guardedRandom } from "./guard.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an exception of a guarded logger is uncaught and does not reach the code that logs", async () => {
  const uncaught = uncaughtErrors();
  const log = (level: string) => () => {
    throw new Error(level);
  };
  const logger = guardedLogger({ debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") });
  for (const level of ["debug", "info", "warn", "error"] as const) logger[level]({}, "text");
  await turn();
  expect(uncaught.map(String)).toEqual(["Error: debug", "Error: info", "Error: warn", "Error: error"]);
});

test("a guarded logger calls the logger's own method on it", () => {
  const records: unknown[] = [];
  const logger = {
    name: "own",
    debug() {},
    info(fields: object, text: string) {
      records.push([this.name, fields, text]);
    },
    warn() {},
    error() {},
  };
  guardedLogger(logger).info({ a: 1 }, "text");
  expect(records).toEqual([["own", { a: 1 }, "text"]]);
});

test.each([
  [0, 0],
  [0.25, 0.25],
  [1, 0.5],
  [-1, 0.5],
  [Number.NaN, 0.5],
  [Number.POSITIVE_INFINITY, 0.5],
])("a guarded source of random numbers returns for %d the number %d", (number, expected) => {
  expect(guardedRandom(() => number)()).toBe(expected);
});

test("a guarded source of random numbers that throws returns a number", async () => {
  const uncaught = uncaughtErrors();
  const random = guardedRandom(() => {
    throw new Error("no entropy");
  });
  expect(random()).toBe(0.5);
  await turn();
  expect(uncaught.map(String)).toEqual(["Error: no entropy"]);
});

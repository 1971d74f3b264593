import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Warnings, warningsOf } from "./warnings.ts";

/** The warnings of the process until the test ends. They arrive in the next tick. */
function processWarnings(): { take(): Promise<unknown[]> } {
  const seen: Error[] = [];
  const listener = (warning: Error): unknown => seen.push(warning);
  process.on("warning", listener);
  onTestFinished(() => void process.off("warning", listener));
  return {
    async take() {
      await new Promise((resolve) => setImmediate(resolve));
      return seen.splice(0).filter(({ name }) => name === "PigatoWarning");
    },
  };
}

const fail = (): never => {
  throw new Error("no time");
};

describe("without a logger", () => {
  let time: number;
  let warnings: Warnings;

  beforeEach(() => {
    time = 1_000;
    warnings = warningsOf(undefined, { now: () => time });
  });

  test("a warning is a process warning with a type, a code and the stack of its error", async () => {
    const seen = processWarnings();
    const err = new Error("boom");
    warnings.warn("PIGATO_HANDLER_FAILED", "a handler failed", { err });
    expect(await seen.take()).toMatchObject([
      { name: "PigatoWarning", code: "PIGATO_HANDLER_FAILED", message: "a handler failed", detail: err.stack },
    ]);
  });

  test("each code warns once per minute, and the next warning counts those that were left out", async () => {
    const seen = processWarnings();
    for (const number of [1, 2, 3, 4]) warnings.warn("PIGATO_ERROR", `error ${number}`, {});
    warnings.warn("PIGATO_NO_HANDLER", "another code", {});
    time += 59_999;
    warnings.warn("PIGATO_ERROR", "too early", {});
    expect(await seen.take()).toMatchObject([{ message: "error 1" }, { message: "another code" }]);
    time += 1;
    warnings.warn("PIGATO_ERROR", "later", {});
    expect(await seen.take()).toMatchObject([{ message: "later (and 4 more before it)" }]);
    time += 60_000;
    warnings.warn("PIGATO_ERROR", "alone", {});
    expect(await seen.take()).toMatchObject([{ message: "alone" }]);
  });

  test.each([
    ["throws", fail],
    ["is no number", () => Number.NaN],
  ])("a clock that %s neither prevents a warning nor lifts the limit", async (_what, now) => {
    const seen = processWarnings();
    const uncaught = vi.fn();
    process.setUncaughtExceptionCaptureCallback(uncaught);
    onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
    const broken = warningsOf(undefined, { now });
    for (const number of [1, 2, 3]) broken.warn("PIGATO_ERROR", `error ${number}`, {});
    expect(await seen.take()).toMatchObject([{ message: "error 1" }]);
    expect(uncaught).toHaveBeenCalledTimes(now === fail ? 3 : 0);
  });

  test.each([
    ["REFUSED", "PIGATO_CONNECTION_REJECTED"],
    ["ERR_STREAM_WRITE_AFTER_END", "PIGATO_WRITE_AFTER_END"],
    ["FAILED", "PIGATO_ERROR"],
  ])("an error %s that no listener receives has the code %s", async (errorCode, code) => {
    const seen = processWarnings();
    warnings.onUnheard(Object.assign(new Error("why"), { code: errorCode }));
    expect(await seen.take()).toMatchObject([{ code, message: "why" }]);
  });
});

test("a write after the end has the stack of the error, and other errors have none", async () => {
  const seen = processWarnings();
  const warnings = warningsOf(undefined, { now: () => 0 });
  const error = Object.assign(new Error("late"), { code: "ERR_STREAM_WRITE_AFTER_END" });
  for (const each of [error, new Error("other")]) warnings.onUnheard(each);
  expect((await seen.take()).map((warning) => Reflect.get(Object(warning), "detail"))).toEqual([
    error.stack,
    undefined,
  ]);
});

test("with a logger, every warning is a line of the level warn, and nothing reaches the process", async () => {
  const seen = processWarnings();
  const warn = vi.fn();
  const unused = (): void => {};
  const warnings = warningsOf({ debug: unused, info: unused, error: unused, warn }, { now: () => 0 });
  for (const id of [1, 2]) warnings.warn("PIGATO_ERROR", "text", { id });
  const err = Object.assign(new Error("rejected"), { code: "REFUSED" });
  warnings.onUnheard(err);
  expect(warn.mock.calls).toEqual([
    ...[1, 2].map((id) => [{ code: "PIGATO_ERROR", id }, "text"]),
    [{ code: "PIGATO_CONNECTION_REJECTED", err }, "rejected"],
  ]);
  expect(await seen.take()).toEqual([]);
});

test("with false, there are no warnings", async () => {
  const seen = processWarnings();
  const warnings = warningsOf(false, { now: () => 0 });
  warnings.warn("PIGATO_ERROR", "text", {});
  warnings.onUnheard(new Error("x"));
  expect(await seen.take()).toEqual([]);
});

import { type FailureCode, RequestError } from "@pigato/client";
import { expect, test } from "vitest";
import { explain } from "./explain.ts";
import { PriceError } from "./price-error.ts";

test("the worker's words about prices reach the reader", () => {
  expect(explain(failure("WORKER_FAILED", { name: "PriceError", message: "No prices for ZZZ." }))).toBe(
    "No prices for ZZZ.",
  );
  expect(explain(new PriceError("BAD_ASK", "A ticker is needed."))).toBe("A ticker is needed.");
});

test.each([
  [{ name: "Error", message: "ENOENT: no such file, open '/secret/place'" }],
  ["a word"],
  [null],
  [{ name: "PriceError", message: 7 }],
])("the worker's other errors, such as %j, are not for the reader", (detail) => {
  expect(explain(failure("WORKER_FAILED", detail))).toBe("The price service failed. Please try again later.");
});

test.each<FailureCode>([
  "UNAVAILABLE",
  "BUSY",
  "DEADLINE_EXCEEDED",
  "WORKER_LOST",
  "BROKER_LOST",
  "REJECTED",
  "CANCELED",
  "CLOSED",
  "INVALID",
])("%s is a sentence without codes", (code) => {
  expect(explain(failure(code))).toMatch(/^[A-Z][a-z A-Z,.]+\.$/);
  expect(explain(failure(code))).not.toContain("_");
  expect(explain(failure(code))).not.toContain("inner words");
});

test("what is no failure of a request is told in general words", () => {
  expect(explain(new TypeError("x is not a function"))).not.toContain("function");
});

function failure(code: FailureCode, detail?: unknown): RequestError {
  return new RequestError({ code, message: "inner words", delivery: "maybe-executed", detail });
}

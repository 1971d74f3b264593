import { type FailureCode, RequestError } from "@pigato/client";
import { expect, test } from "vitest";
import { describeFailure } from "./failure-text.ts";
import { PriceError } from "./price-error.ts";

test("the message of a PriceError is the sentence", () => {
  expect(describeFailure(failure("WORKER_FAILED", { name: "PriceError", message: "No prices for ZZZ." }))).toBe(
    "No prices for ZZZ.",
  );
  expect(describeFailure(new PriceError("INVALID_QUERY", "Enter a ticker."))).toBe("Enter a ticker.");
});

test.each([
  [{ name: "Error", message: "ENOENT: no such file, open '/secret/place'" }],
  ["a word"],
  [null],
  [{ name: "PriceError", message: 7 }],
])("other errors of the worker, such as %j, get a general sentence", (detail) => {
  expect(describeFailure(failure("WORKER_FAILED", detail))).toBe("The price service failed. Please try again later.");
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
  expect(describeFailure(failure(code))).toMatch(/^[A-Z][a-z A-Z,.]+\.$/);
  expect(describeFailure(failure(code))).not.toContain("_");
  expect(describeFailure(failure(code))).not.toContain("internal text");
});

test("an error that is not a RequestError gets a general sentence", () => {
  expect(describeFailure(new TypeError("x is not a function"))).not.toContain("function");
});

function failure(code: FailureCode, detail?: unknown): RequestError {
  return new RequestError({ code, message: "internal text", delivery: "maybe-executed", detail });
}

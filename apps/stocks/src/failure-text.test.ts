import { type FailureCode, RequestError } from "@pigato/client";
import { MethodError } from "@pigato/contract";
import { expect, test } from "vitest";
import { PriceQuery } from "./contract.ts";
import { describeFailure } from "./failure-text.ts";

test.each([
  [
    "UNKNOWN_TICKER",
    { ticker: "ZZZ", known: ["ACME", "BREW"] },
    "There are no prices for ZZZ. There are prices for ACME, BREW.",
  ],
  ["UNKNOWN_TICKER", { ticker: "ZZZ", known: [] }, "There are no prices for ZZZ."],
  ["SOURCE_FAILED", { reason: "The price source cannot be reached." }, "The price source cannot be reached."],
  ["INVALID_UPLOAD", { reason: "The prices were not loaded." }, "The prices were not loaded."],
])("the error %s of the contract is a sentence with its data, case %#", (code, detail, sentence) => {
  expect(describeFailure(new MethodError({ code, detail, message: "internal text" }))).toBe(sentence);
});

test("an invalid query is described by its first issue", () => {
  const { error } = PriceQuery.safeParse({});
  expect(describeFailure(error)).toBe("Enter a ticker.");
});

test.each<FailureCode>([
  "UNAVAILABLE",
  "BUSY",
  "DEADLINE_EXCEEDED",
  "WORKER_FAILED",
  "WORKER_LOST",
  "BROKER_LOST",
  "REJECTED",
  "CANCELED",
  "CLOSED",
  "INVALID",
  "INVALID_ARGUMENT",
  "UNIMPLEMENTED",
])("%s is a sentence without codes", (code) => {
  const detail = { name: "Error", message: "ENOENT: no such file, open '/secret/place'" };
  const failure = new RequestError({ code, message: "internal text", delivery: "maybe-executed", detail });
  expect(describeFailure(failure)).toMatch(/^[A-Z][a-z A-Z,.]+\.$/);
  expect(describeFailure(failure)).not.toContain("_");
  expect(describeFailure(failure)).not.toContain("internal text");
});

test("any other error gets a general sentence", () => {
  expect(describeFailure(new TypeError("x is not a function"))).toBe("The program failed.");
});

import { expect, test } from "vitest";
import { PriceQuery } from "./contract.ts";

const VALID = { ticker: "ACME", start: "2024-01-01", end: "2024-12-31", freq: "w" };

test("a ticker may be in lower case, and the default frequency is days", () => {
  expect(PriceQuery.parse({ ...VALID, ticker: " acme ", freq: undefined })).toEqual({ ...VALID, freq: "d" });
});

test("start and end may be the same day", () => {
  expect(PriceQuery.parse({ ...VALID, end: VALID.start }).end).toBe("2024-01-01");
});

test.each([
  [{ ...VALID, ticker: undefined }, "Enter a ticker."],
  [{ ...VALID, ticker: "  " }, "Enter a ticker."],
  [{ ...VALID, ticker: "__proto__" }, "A ticker has 1 to 12 letters"],
  [{ ...VALID, ticker: "../../etc" }, "A ticker has 1 to 12 letters"],
  [{ ...VALID, ticker: "A".repeat(13) }, "A ticker has 1 to 12 letters"],
  [{ ...VALID, ticker: ["ACME"] }, "Enter a ticker."],
  [{ ...VALID, start: "2024-02-30" }, "The start must be a date"],
  [{ ...VALID, end: "yesterday" }, "The end must be a date"],
  [{ ...VALID, end: "2023-12-31" }, "The start must not be after the end."],
  [{ ...VALID, freq: "h" }, "The frequency must be d, w or m"],
  [null, "Send an object"],
  ["ACME", "Send an object"],
])("%j is rejected: %s", (data, message) => {
  expect(PriceQuery.safeParse(data).error?.issues[0]?.message).toContain(message);
});

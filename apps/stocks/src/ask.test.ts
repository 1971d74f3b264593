import { expect, test } from "vitest";
import { parseAsk } from "./ask.ts";
import { PriceError } from "./price-error.ts";

const ASKED = { ticker: "ACME", start: "2024-01-01", end: "2024-12-31", freq: "w" };

test("a ticker may be written in small letters, and days are the default", () => {
  expect(parseAsk({ ...ASKED, ticker: " acme ", freq: undefined })).toEqual({ ...ASKED, freq: "d" });
});

test("one day is a span", () => {
  expect(parseAsk({ ...ASKED, end: ASKED.start }).end).toBe("2024-01-01");
});

test.each([
  [{ ...ASKED, ticker: undefined }, "A ticker is needed."],
  [{ ...ASKED, ticker: "  " }, "A ticker is needed."],
  [{ ...ASKED, ticker: "__proto__" }, "A ticker is 1 to 12 letters"],
  [{ ...ASKED, ticker: "../../etc" }, "A ticker is 1 to 12 letters"],
  [{ ...ASKED, ticker: "A".repeat(13) }, "A ticker is 1 to 12 letters"],
  [{ ...ASKED, ticker: ["ACME"] }, "A ticker is needed."],
  [{ ...ASKED, start: "2024-02-30" }, "The start must be a date"],
  [{ ...ASKED, end: "yesterday" }, "The end must be a date"],
  [{ ...ASKED, end: "2023-12-31" }, "The start must not be after the end."],
  [{ ...ASKED, freq: "h" }, "The frequency must be d, w or m"],
  [null, "Ask with an object"],
  ["ACME", "Ask with an object"],
])("%j is refused: %s", (data, message) => {
  expect(() => parseAsk(data)).toThrow(message);
  expect(() => parseAsk(data)).toThrow(PriceError);
});

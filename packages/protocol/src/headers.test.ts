import { expect, test } from "vitest";
import { withHeadersInOptions } from "./headers.ts";
import { readText, writeText } from "./ids.ts";

function joinedWith(headers: string): string[] {
  const trailer = ['{"method":"add"}', `headers=${headers}`, "more"].map((text) => writeText(text));
  return withHeadersInOptions(trailer).map(readText);
}

test("headers become the last of the options", () => {
  expect(joinedWith('{"a":"b"}')).toEqual(['{"method":"add","headers":{"a":"b"}}', "more"]);
});

test.each(['{},"method":"remove"', '{}},{"method":"remove"', '{"a":', '"a"', "", "[]"])(
  "headers that are no JSON object change no other option: %s",
  (headers) => {
    expect(joinedWith(headers)).toEqual(['{"method":"add"}', "more"]);
  },
);

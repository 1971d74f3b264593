import { requestId, writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type Partial, Partials } from "./partials.ts";

function partial(chunk: string, { id = "r1", address = "~1", options = "{}" } = {}): Partial {
  return {
    ...{ type: "partial", address, requestId: requestId(id), status: 0 },
    ...{ body: [writeText(chunk)], trailer: [writeText(options)] },
  };
}

test("partial replies to the same request, with the same options, become one message", () => {
  const partials = new Partials();
  expect([partial("1"), partial("2"), partial("3")].map((one) => partials.add(one))).toEqual([true, true, true]);
  expect(partials.take()).toEqual({
    ...{ type: "partials", address: "~1", requestId: "r1", options: writeText("{}") },
    chunks: ["1", "2", "3"].map(writeText),
  });
  expect(partials.take()).toBeUndefined();
});

test("one alone stays what it is", () => {
  const partials = new Partials();
  const one = partial("1");
  partials.add(one);
  expect(partials.take()).toBe(one);
});

test.each([
  ["another request", { id: "r2" }],
  ["the same id of another client", { address: "~2" }],
  ["other options", { options: '{"cache":1}' }],
])("one to %s is not put together with them", (_, other) => {
  const partials = new Partials();
  partials.add(partial("1"));
  expect(partials.add(partial("2", other))).toBe(false);
  expect(partials.take()).toEqual(partial("1"));
  expect(partials.add(partial("2", other))).toBe(true);
});

test("a message takes 32 of them", () => {
  const partials = new Partials();
  const taken = Array.from({ length: 33 }, (_, index) => partials.add(partial(String(index))));
  expect(taken.filter(Boolean)).toHaveLength(32);
  expect(taken.at(-1)).toBe(false);
});

test("a message of 4 KiB takes no more, and one as large as that waits for no other", () => {
  const partials = new Partials();
  expect(partials.add(partial("x".repeat(4_096)))).toBe(false);
  expect(partials.take()).toBeUndefined();
  expect(partials.add(partial("x".repeat(4_095)))).toBe(true);
  expect(partials.add(partial("x"))).toBe(true);
  expect(partials.add(partial("x"))).toBe(false);
});

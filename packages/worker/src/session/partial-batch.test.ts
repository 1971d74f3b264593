import { requestId, writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import type { PartialInput } from "./effects.ts";
import { PartialBatch } from "./partial-batch.ts";
import { InFlightRequest } from "./request-table.ts";

const REQUEST = request("r1", "~1");

function request(id: string, address: string): InFlightRequest {
  return new InFlightRequest({ address, requestId: requestId(id) }, 0, 1);
}

function partial(chunk: string, options = "{}"): PartialInput {
  return { type: "partial", call: 1, body: [writeText(chunk)], options: writeText(options) };
}

test("partials of one request with the same options become one message", () => {
  const batch = new PartialBatch();
  for (const chunk of ["1", "2", "3"]) expect(batch.add(REQUEST, partial(chunk))).toBe(true);
  expect(batch.take()).toEqual({
    ...{ type: "partials", address: "~1", requestId: "r1", options: writeText("{}") },
    chunks: ["1", "2", "3"].map(writeText),
  });
  expect(batch.take()).toBeUndefined();
});

test("a single partial becomes a plain partial message", () => {
  const batch = new PartialBatch();
  batch.add(REQUEST, partial("1"));
  expect(batch.take()).toEqual({
    ...{ type: "partial", address: "~1", requestId: "r1", status: 0 },
    ...{ body: [writeText("1")], trailer: [writeText("{}")] },
  });
});

test.each([
  ["another request", request("r2", "~1"), "{}"],
  ["the same id of another client", request("r1", "~2"), "{}"],
  ["other options", REQUEST, '{"cache":1}'],
])("a partial of %s is not added to the batch", (_, other, options) => {
  const batch = new PartialBatch();
  batch.add(REQUEST, partial("1"));
  expect(batch.add(other, partial("2", options))).toBe(false);
  expect(batch.take()).toMatchObject({ type: "partial", body: [writeText("1")] });
  expect(batch.add(other, partial("2", options))).toBe(true);
});

test("a batch holds at most 32 partials", () => {
  const batch = new PartialBatch();
  const added = Array.from({ length: 33 }, (_, index) => batch.add(REQUEST, partial(String(index))));
  expect(added.filter(Boolean)).toHaveLength(32);
  expect(added.at(-1)).toBe(false);
});

test("a batch of 4 KiB is full, and a partial of that size is sent alone", () => {
  const batch = new PartialBatch();
  expect(PartialBatch.takes(partial("x".repeat(4_096)))).toBe(false);
  expect(PartialBatch.takes(partial("x".repeat(4_095)))).toBe(true);
  expect(batch.add(REQUEST, partial("x".repeat(4_095)))).toBe(true);
  expect(batch.add(REQUEST, partial("x"))).toBe(true);
  expect(batch.add(REQUEST, partial("x"))).toBe(false);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { QueuedRequest } from "./queued-request.ts";
import { RequestList } from "./request-list.ts";
import { aRequest } from "./testing/records.ts";

test("the list keeps requests in order of arrival, whenever they are added", () => {
  const list = new RequestList<QueuedRequest>();
  for (const number of [5, 6, 9, 2, 3, 7, 1, 8]) list.insert(aRequest(number));
  expect([...list].map((request) => request.number)).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
});

test("any sequence of additions and removals keeps the order", () => {
  const steps = fc.array(fc.record({ isAdded: fc.boolean(), pick: fc.nat({ max: 40 }) }), {
    minLength: 50,
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      const list = new RequestList<QueuedRequest>();
      const outside = Array.from({ length: 40 }, (_, number) => aRequest(number));
      let inside: QueuedRequest[] = [];
      for (const { isAdded, pick } of sequence) {
        const from = isAdded ? outside : inside;
        const request = from.splice(pick % (from.length || 1), 1)[0];
        if (request === undefined) continue;
        if (isAdded) {
          list.insert(request);
          inside = [...inside, request].sort((left, right) => left.number - right.number);
        } else {
          list.remove(request);
          outside.push(request);
        }
        expect([...list]).toEqual(inside);
        expect([list.first, list.size]).toEqual([inside[0], inside.length]);
      }
    }),
    { numRuns: 60, seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("the current request may be removed while iterating", () => {
  const list = new RequestList<QueuedRequest>();
  for (let number = 1; number <= 4; number++) list.insert(aRequest(number));
  const walked: number[] = [];
  for (const request of list) {
    walked.push(request.number);
    list.remove(request);
  }
  expect(walked).toEqual([1, 2, 3, 4]);
  expect([list.first, list.size]).toEqual([undefined, 0]);
});

test("many requests that return together are not each inserted by a search from the head", () => {
  let reads = 0;
  const list = new RequestList<QueuedRequest>();
  list.insert(aRequest(1_000_000));
  for (let number = 0; number < 10_000; number++) {
    const request = aRequest(number);
    Object.defineProperty(request, "number", {
      get: () => {
        reads += 1;
        return number;
      },
    });
    list.insert(request);
  }
  expect(list.size).toBe(10_001);
  expect(reads).toBeLessThan(100_000);
});

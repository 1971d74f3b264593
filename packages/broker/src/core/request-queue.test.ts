import fc from "fast-check";
import { expect, test } from "vitest";
import type { Request } from "./records.ts";
import { RequestQueue } from "./request-queue.ts";
import { aRequest } from "./testing/rows.ts";

test("requests stand in order of arrival, whenever they were added", () => {
  const queue = new RequestQueue();
  for (const number of [5, 6, 9, 2, 3, 7, 1, 8]) queue.add(aRequest(number));
  expect([...queue].map((request) => request.number)).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
});

test("any sequence of adding and taking out keeps the order", () => {
  const steps = fc.array(fc.record({ isAdded: fc.boolean(), pick: fc.nat({ max: 40 }) }), {
    minLength: 50,
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(steps, (sequence) => {
      const queue = new RequestQueue();
      const outside = Array.from({ length: 40 }, (_, number) => aRequest(number));
      let inside: Request[] = [];
      for (const { isAdded, pick } of sequence) {
        const from = isAdded ? outside : inside;
        const request = from.splice(pick % (from.length || 1), 1)[0];
        if (request === undefined) continue;
        if (isAdded) {
          queue.add(request);
          inside = [...inside, request].sort((left, right) => left.number - right.number);
        } else {
          queue.remove(request);
          outside.push(request);
        }
        expect([...queue]).toEqual(inside);
        expect([queue.first, queue.length]).toEqual([inside[0], inside.length]);
      }
    }),
    { numRuns: 60 },
  );
});

test("it may be walked while the request at hand is taken out", () => {
  const queue = new RequestQueue();
  for (let number = 1; number <= 4; number++) queue.add(aRequest(number));
  const walked: number[] = [];
  for (const request of queue) {
    walked.push(request.number);
    queue.remove(request);
  }
  expect(walked).toEqual([1, 2, 3, 4]);
  expect([queue.first, queue.length]).toEqual([undefined, 0]);
});

test("many that come back together are not each looked for from the head", () => {
  let reads = 0;
  const queue = new RequestQueue();
  queue.add(aRequest(1_000_000));
  for (let number = 0; number < 10_000; number++) {
    const request = aRequest(number);
    Object.defineProperty(request, "number", {
      get: () => {
        reads += 1;
        return number;
      },
    });
    queue.add(request);
  }
  expect(queue.length).toBe(10_001);
  expect(reads).toBeLessThan(100_000);
});

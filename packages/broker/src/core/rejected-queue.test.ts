import fc from "fast-check";
import { expect, test } from "vitest";
import type { QueuedRequest, Registration, WorkerRecord } from "./queued-request.ts";
import { RejectedQueue } from "./rejected-queue.ts";
import { aRegistration, aRequest } from "./testing/records.ts";

function reject(queue: RejectedQueue<QueuedRequest>, request: QueuedRequest, ...workers: Registration[]): void {
  request.rejectedBy ??= new Set();
  for (const worker of workers) request.rejectedBy.add(worker.worker);
  queue.insert(request);
}

test("each worker takes the first request that it has not rejected itself", () => {
  const queue = new RejectedQueue<QueuedRequest>();
  const [w1, w2, late] = [aRegistration("w1"), aRegistration("w2"), aRegistration("late")];
  const [r1, r2, r3] = [aRequest(1), aRequest(2), aRequest(3)];
  reject(queue, r1, w1);
  reject(queue, r2, w1, w2);
  reject(queue, r3, w2);
  expect(queue.firstFor(w1)).toBe(r3);
  expect(queue.firstFor(w2)).toBe(r1);
  expect(queue.firstFor(late)).toBe(r1);
});

test("a request that was taken and rejected again goes to the end", () => {
  const queue = new RejectedQueue<QueuedRequest>();
  const [w1, w2, w3] = [aRegistration("w1"), aRegistration("w2"), aRegistration("w3")];
  const [r1, r2] = [aRequest(1), aRequest(2)];
  reject(queue, r1, w1);
  reject(queue, r2, w1);
  expect(queue.firstFor(w2)).toBe(r1);
  queue.remove(r1);
  reject(queue, r1, w2);
  expect([...queue]).toEqual([r2, r1]);
  expect(queue.firstFor(w2)).toBe(r2);
  queue.remove(r2);
  expect(queue.firstFor(w2)).toBeUndefined();
  expect(queue.firstFor(w3)).toBe(r1);
});

test("a worker that has visited every entry sees later ones, even if all visited entries are gone", () => {
  const queue = new RejectedQueue<QueuedRequest>();
  const [w1, w2] = [aRegistration("w1"), aRegistration("w2")];
  const seen = [1, 2, 3].map(aRequest);
  for (const request of seen) reject(queue, request, w1);
  expect(queue.firstFor(w1)).toBeUndefined();
  for (const request of seen.toReversed()) queue.remove(request);
  const later = aRequest(4);
  reject(queue, later, w2);
  expect(queue.firstFor(w1)).toBe(later);
});

test("the current request may be removed while iterating", () => {
  const queue = new RejectedQueue<QueuedRequest>();
  for (let number = 1; number <= 5; number++) reject(queue, aRequest(number), aRegistration("w1"));
  const walked: number[] = [];
  for (const request of queue) {
    walked.push(request.number);
    if (request.number % 2 === 0) queue.remove(request);
  }
  expect(walked).toEqual([1, 2, 3, 4, 5]);
  expect([...queue].map((request) => request.number)).toEqual([1, 3, 5]);
});

interface Change {
  readonly do: "reject" | "take" | "end" | "join";
  readonly who: number;
  readonly pick: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  do: fc.constantFrom("reject", "reject", "reject", "take", "end", "join"),
  who: fc.nat({ max: 4 }),
  pick: fc.nat({ max: 30 }),
});

test("the queue finds what a linear search finds, and visits each entry at most once for each worker that rejected it", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 100, maxLength: 400, size: "max" }), (changes) => {
      const queue = new RejectedQueue<QueuedRequest>();
      const workers = [0, 1, 2, 3, 4].map((name) => aRegistration(`w${name}`));
      let waiting: QueuedRequest[] = [];
      let looks = 0;
      let paid = 0;
      let next = 1;
      for (const { do: what, who, pick } of changes) {
        const worker = workers[who];
        if (worker === undefined) continue;
        if (what === "reject") {
          // The worker rejects the request that it would get, or a new one.
          const found = queue.firstFor(worker);
          const request = found ?? aRequest(next++);
          if (found) queue.remove(found);
          request.rejectedBy ??= new CountingSet(() => {
            looks += 1;
          });
          reject(queue, request, worker);
          waiting = [...waiting.filter((other) => other !== request), request];
          paid += 2;
        }
        if (what === "join") workers[who] = aRegistration(`w${who} again`);
        if (what === "end") {
          const request = waiting[pick % (waiting.length || 1)];
          if (request) queue.remove(request);
          waiting = waiting.filter((other) => other !== request);
        }
        if (what === "take") {
          paid += 1;
          const before = looks;
          const found = queue.firstFor(worker);
          const spent = looks - before;
          expect(found).toBe(waiting.find((request) => !request.rejectedBy?.has(worker.worker)));
          looks = before + spent;
        }
        expect([...queue]).toEqual(waiting);
        expect(queue.size).toBe(waiting.length);
      }
      expect(looks).toBeLessThanOrEqual(paid);
    }),
    { numRuns: 60, seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

/** Counts its lookups. */
class CountingSet extends Set<WorkerRecord> {
  readonly #onLook: () => void;

  constructor(onLook: () => void) {
    super();
    this.#onLook = onLook;
  }

  override has(worker: WorkerRecord): boolean {
    this.#onLook();
    return super.has(worker);
  }
}

test("a worker visits each entry that it rejected once, however other entries come and go", () => {
  const queue = new RejectedQueue<QueuedRequest>();
  const [w1, w2] = [aRegistration("w1"), aRegistration("w2")];
  let looks = 0;
  const requests = Array.from({ length: 1_000 }, (_, number) => aRequest(number));
  for (const request of requests) {
    request.rejectedBy = new CountingSet(() => {
      looks += 1;
    });
    reject(queue, request, w1);
    queue.firstFor(w1);
  }
  expect(looks).toBe(1_000);
  for (let request = queue.firstFor(w2); request !== undefined; request = queue.firstFor(w2)) queue.remove(request);
  expect(looks).toBe(2_000);
  queue.firstFor(w1);
  expect(looks).toBe(2_000);
});

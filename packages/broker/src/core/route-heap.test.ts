import { serviceName } from "@pigato/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { QueuedRequest } from "./queued-request.ts";
import { RouteHeap } from "./route-heap.ts";
import { aRequest, aRoute, aService } from "./testing/records.ts";

test("the first route in the heap is the one with the oldest request, after any changes", () => {
  const anyChange = fc.tuple(
    fc.constantFrom("comes", "comes", "ends", "is first", "turns away"),
    fc.nat({ max: 5 }),
    fc.nat(),
  );
  let mostRoutes = 0;
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60, size: "max" }), (changes) => {
      const heap = new RouteHeap<QueuedRequest>();
      const service = aService(serviceName("*"));
      const routes = Array.from({ length: 6 }, (_, index) => aRoute(serviceName(`r${index}`), service));
      for (const [number, [what, index, pick]] of changes.entries()) {
        const route = routes[index];
        if (route === undefined) throw new Error("no such route");
        const waiting = [...route.queue];
        const one = what === "is first" ? waiting[0] : waiting[pick % waiting.length];
        // A request that returns may be older than all that wait.
        if (what === "comes") route.queue.insert(aRequest(pick % 3 === 0 ? 10_000 + number : 20_000 - number));
        else if (what === "turns away") heap.remove(route);
        else if (one !== undefined) route.queue.remove(one);
        if (what !== "turns away") heap.update(route);
        const here = routes.filter((other) => heap.has(other));
        const oldest = Math.min(...here.map((other) => other.queue.first?.number ?? Number.NaN));
        expect(heap.first?.queue.first?.number).toBe(here.length === 0 ? undefined : oldest);
        expect(heap.size).toBe(here.length);
        expect(heap.has(route)).toBe(what !== "turns away" && route.queue.size > 0);
        mostRoutes = Math.max(mostRoutes, heap.size);
      }
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
  expect(mostRoutes).toBeGreaterThan(4);
});

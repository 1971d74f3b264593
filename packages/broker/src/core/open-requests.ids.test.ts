import { requestId } from "@pigato/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OpenRequests } from "./open-requests.ts";
import type { QueuedRequest } from "./queued-request.ts";
import { aClient, aRequestOf } from "./testing/records.ts";

test("the index finds exactly the open requests, after any sequence of additions and removals", () => {
  const step = fc.record({ client: fc.nat({ max: 2 }), id: fc.nat({ max: 60 }), isNew: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, random) => {
      const open = new OpenRequests<QueuedRequest>(() => random);
      const clients = [aClient("c0", open), aClient("c1", open), aClient("c2", open)];
      const model = new Map<string, QueuedRequest>();
      for (const [number, { client: which, id, isNew }] of steps.entries()) {
        const client = clients[which];
        if (client === undefined) throw new Error("no such client");
        const key = `${which}/r${id}`;
        const known = model.get(key);
        expect(client.requests.get(requestId(`r${id}`))).toBe(known);
        if (isNew && known === undefined) {
          const request = aRequestOf(client, id);
          open.add(request);
          client.requests.add(request);
          model.set(key, request);
        } else if (!isNew && known !== undefined) {
          open.remove(known);
          client.requests.remove(known);
          model.delete(key);
        }
        if (number % 50 !== 0) continue;
        for (const [at, other] of clients.entries()) {
          for (let index = 0; index <= 60; index++) {
            expect(other.requests.get(requestId(`r${index}`))).toBe(model.get(`${at}/r${index}`));
          }
        }
      }
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("two clients may use the same id", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const [first, second] = [aClient("c1", open), aClient("c2", open)];
  const requests = [aRequestOf(first, 1), aRequestOf(second, 1)];
  for (const request of requests) {
    open.add(request);
    request.client.requests.add(request);
  }
  expect([first.requests.get(requestId("r1")), second.requests.get(requestId("r1"))]).toEqual(requests);
});

test("the index ignores the removal of a request that it does not hold", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const client = aClient("c1", open);
  const [filed, other] = [aRequestOf(client, 1), aRequestOf(client, 2)];
  open.add(filed);
  client.requests.add(filed);
  open.add(other);
  open.ids.remove(other);
  expect(client.requests.get(requestId("r1"))).toBe(filed);
});

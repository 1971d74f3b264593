import { expect, test } from "vitest";
import { ClientRequests, OpenRequests } from "./open-requests.ts";
import type { QueuedRequest } from "./queued-request.ts";
import { aRequest } from "./testing/records.ts";

function opened(open: OpenRequests<QueuedRequest>, number: number): QueuedRequest {
  const request = aRequest(number);
  open.add(request);
  request.address = open.addressOf(request);
  return request;
}

test("the table finds an open request by its address token, and no closed one", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const request = opened(open, 7);
  expect(open.byAddress(request.address)).toBe(request);
  open.remove(request);
  expect(open.byAddress(request.address)).toBeUndefined();
});

test("the token of a closed request does not find the request that reuses its index", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const closed = opened(open, 1);
  open.remove(closed);
  const next = opened(open, 2);
  expect(next.index).toBe(closed.index);
  expect(open.byAddress(closed.address)).toBeUndefined();
  expect(open.byAddress(next.address)).toBe(next);
});

test("the table finds nothing by a text that is no token or only starts like one", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const { address } = opened(open, 1);
  for (const text of [
    "",
    "~",
    "~x",
    "~-1",
    "~length",
    "c1",
    `${address}0`,
    `${address} `,
    "~0",
    "~0.2",
    "~1.1",
    "~1e9",
  ]) {
    expect(open.byAddress(text)).toBeUndefined();
  }
});

test("the table reuses indexes, so the array never exceeds the most requests that were open at once", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  let last = opened(open, 1);
  for (let number = 2; number <= 1_000; number++) {
    open.remove(last);
    last = opened(open, number);
  }
  expect([open.size, last.index]).toEqual([1, 0]);
});

test("the requests of a client are found by its ids and iterated oldest first", () => {
  const open = new OpenRequests<QueuedRequest>(() => 0);
  const requests = new ClientRequests(open.ids, open.newSalt());
  const [first, second, third] = [opened(open, 1), opened(open, 2), opened(open, 3)];
  for (const request of [first, second, third]) requests.add(request);
  requests.remove(second);
  expect([requests.has(first.id), requests.has(second.id), requests.size]).toEqual([true, false, 2]);
  expect(requests.get(third.id)).toBe(third);
  expect([...requests]).toEqual([first, third]);
});

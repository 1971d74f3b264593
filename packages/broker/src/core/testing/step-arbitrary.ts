// How likely each step of a random script is, and under which bounds a script runs.

import { MAX_CREDIT } from "@pigato/protocol/internal";
import fc, { type Arbitrary } from "fast-check";
import type { CoreOptions } from "../core-options.ts";
import type { Naming, Offer, Step } from "./random-script.ts";

const who: Arbitrary<number> = fc.nat({ max: 11 });
const id: Arbitrary<number> = fc.nat({ max: 9 });
const pick: Arbitrary<number> = fc.nat({ max: 40 });
const service: Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat({ max: 8 }) },
);
const offered: Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.nat({ max: 9 }) },
);
const cacheMs: Arbitrary<number | undefined> = fc.constantFrom(undefined, 10, 1_000, 60_000);
const never: Arbitrary<undefined> = fc.constant(undefined);
const concurrency: Arbitrary<number> = fc.constantFrom(0, 1, 1, 2, 3, 5, Number.POSITIVE_INFINITY);
const naming: Arbitrary<Naming> = fc.constantFrom(
  ...repeat<Naming>("held", 12),
  "held by id alone",
  "held by another",
  "held before",
  "made up",
);

/** Any step, the usual ones more often than the rare ones. */
export const anyStep: Arbitrary<Step> = fc.oneof(
  weighted(30, {
    do: fc.constant("request" as const),
    who,
    id,
    service,
    timeoutMs: fc.constantFrom(0, 40, 500, 5_000, 5_000, 60_000, 60_000, Number.POSITIVE_INFINITY),
    retry: fc.boolean(),
    failFast: fc.constantFrom(false, false, false, true),
    target: fc.nat({ max: 60 }),
    noCache: rarely(true, false),
    persist: rarely(true, false),
    deadlineMs: fc.constantFrom(undefined, undefined, undefined, 40, 700, 20_000),
    acceptTimeoutMs: fc.constantFrom(undefined, undefined, undefined, undefined, 0, 30, 600),
    method: fc.constantFrom(undefined, undefined, "add", "__proto__"),
    headers: fc.constantFrom(undefined, undefined, "{}"),
    credit: fc.constantFrom(undefined, 1, 16, 16, MAX_CREDIT - 1, MAX_CREDIT),
    hasInput: fc.constantFrom(false, false, false, true),
    question: fc.constantFrom(undefined, 1, 1, 2),
  }),
  weighted(14, { do: fc.constant("ready" as const), who, service: offered, offer: anyOffer() }),
  weighted(5, { do: fc.constant("heartbeat" as const), who, concurrency: fc.option(concurrency, { nil: undefined }) }),
  weighted(20, {
    do: fc.constantFrom("final" as const, "final" as const, "partial" as const, "partials" as const),
    who,
    pick,
    naming,
    cacheMs,
  }),
  weighted(10, { do: fc.constant("reject" as const), who, pick, naming, cacheMs: never }),
  weighted(9, {
    do: fc.constantFrom("null partial", "request heartbeat", ...repeat("credit" as const, 5)),
    who,
    pick,
    naming,
    cacheMs,
  }),
  weighted(2, { do: fc.constant("worker leaves" as const), who }),
  weighted(1, { do: fc.constantFrom("client leaves", "client is cut off"), who }),
  weighted(5, { do: fc.constantFrom("client heartbeat", "client offer"), who }),
  weighted(9, {
    do: fc.constantFrom("cancel", "cancel", ...repeat("client request heartbeat" as const, 5)),
    who,
    id,
  }),
  weighted(14, { do: fc.constant("input" as const), pick, who, id, chunks: fc.constantFrom(0, 0, 1, 2, 3) }),
  weighted(24, { do: fc.constant("grant" as const), who, id, chunks: fc.constantFrom(0, 1, 8, 8, 8, MAX_CREDIT) }),
  weighted(1, { do: fc.constant("undelivered grant" as const), pick, what: fc.constantFrom("grant", "input") }),
  weighted(1, { do: fc.constant("heartbeat from another socket" as const), who, worker: who }),
  weighted(2, { do: fc.constant("violation" as const), who, role: fc.constantFrom(0, 1, 2), id: fc.nat({ max: 12 }) }),
  weighted(2, { do: fc.constant("peer down" as const), who, role: fc.constantFrom(0, 1) }),
  weighted(2, { do: fc.constant("receiving" as const), who, role: fc.constantFrom(0, 1) }),
  weighted(2, { do: fc.constant("undelivered request" as const), pick, isGone: fc.boolean() }),
  weighted(3, { do: fc.constant("congested request" as const), pick }),
  weighted(1, { do: fc.constant("undelivered unheld request" as const), who }),
  weighted(2, {
    do: fc.constant("undelivered to client" as const),
    who,
    reason: fc.constantFrom("unreachable", "congested", "congested"),
  }),
  weighted(8, { do: fc.constantFrom("store finishes", "store finishes", "store finishes", "store fails"), pick }),
  weighted(1, { do: fc.constant("restore" as const), who, id, service, target: fc.nat({ max: 20 }), key: fc.nat() }),
  weighted(8, {
    do: fc.constant("advance" as const),
    ms: fc.constantFrom(1, 1, 10, 10, 40, 100, 100, 500, 1_000, 5_000),
    isSilent: fc.constantFrom(false, false, false, false, true),
  }),
  weighted(1, { do: fc.constant("stall" as const), ms: fc.constantFrom(100, 1_000, 10_000) }),
);

/** Bounds that are sometimes within reach, and each dispatch mode. */
export const anyOptions: Arbitrary<Partial<CoreOptions>> = fc.record({
  heartbeatLiveness: fc.constantFrom(2, 3),
  dispatchMode: fc.constantFrom("load", "lru", "rand"),
  whenDeclined: fc.constantFrom("fail", "wait"),
  settleMs: fc.constantFrom(0, 100),
  maxDispatches: fc.constantFrom(1, 2, 3),
  maxRequests: rarely(12),
  maxRequestsPerClient: rarely(5),
  maxTimeoutMs: rarely(3_000, Number.POSITIVE_INFINITY),
  maxRequestBytesPerClient: rarely(3_500),
  maxStoredRequests: fc.oneof(rarely(0), rarely(3)),
  maxStoredRequestsPerClient: rarely(2),
  maxStoredBytes: rarely(3_500),
  maxStoredBytesPerClient: rarely(2_500),
  maxStoredMs: rarely(2_000, Number.POSITIVE_INFINITY),
  maxQueuedPerService: fc.oneof(rarely(0), rarely(5)),
  maxRequestBytes: rarely(4_500),
  maxWorkers: rarely(3),
  maxClients: rarely(2),
  maxHeldReplies: fc.oneof(rarely(0), rarely(1)),
  maxHeldRepliesPerClient: rarely(1),
  maxHeldBytes: rarely(1_600),
  maxHeldBytesPerClient: fc.oneof(rarely(800), rarely(1_600)),
  // The cache allocates room for all entries at once.
  cacheMaxEntries: fc.oneof(rarely(0, 1_000), rarely(1, 1_000)),
  cacheMaxBytes: rarely(1_200),
  cacheMaxReplyBytes: rarely(1_100),
});

/** Numbers from 0 up to 1 that are the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

function rarely(bound: number): Arbitrary<number>;
function rarely<Value>(value: Value, usual: Value): Arbitrary<Value>;
function rarely(value: unknown, usual: unknown = 1_000_000): Arbitrary<unknown> {
  return fc.constantFrom(value, ...repeat(usual, 7));
}

function anyOffer(): Arbitrary<Offer> {
  const modern = fc.record(
    {
      cancel: fc.boolean(),
      requestHeartbeat: fc.boolean(),
      credit: fc.boolean(),
      duplex: fc.constantFrom(true, true, true, false),
      services: fc.boolean(),
      methods: fc.boolean(),
      deadline: fc.boolean(),
      headers: fc.boolean(),
      concurrency,
      heartbeatMs: fc.constantFrom(200, 1_000, 5_000),
    },
    { requiredKeys: ["cancel", "requestHeartbeat", "credit", "methods", "deadline", "headers", "services", "duplex"] },
  );
  return fc.oneof(fc.constant("classic" as const), modern, modern);
}

function weighted<Fields>(
  weight: number,
  fields: { [Key in keyof Fields]: Arbitrary<Fields[Key]> },
): {
  weight: number;
  arbitrary: Arbitrary<Fields>;
} {
  return { weight, arbitrary: fc.record(fields) };
}

function repeat<Item>(item: Item, times: number): Item[] {
  return Array.from({ length: times }, () => item);
}

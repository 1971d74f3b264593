import { type Clock, systemClock } from "@pigato/transport";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Input } from "./core/effects.ts";
import type { StoredRequest } from "./core/stored-request.ts";
import type { RequestStore } from "./store.ts";
import { StoreAdapter } from "./store-adapter.ts";

const unreadable = Object.defineProperty(new Error(), "message", {
  get() {
    throw new Error("thrown by the message");
  },
});
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

test.each([
  ["an error", new Error("disk full"), "disk full"],
  ["a symbol", Symbol("full"), "Symbol(full)"],
  ["nothing", undefined, "undefined"],
  ["an error with a message that throws", unreadable, "an error that cannot be shown"],
  ["a revoked proxy", revoked, "an error that cannot be shown"],
])("a store that rejects with %s fails the call", async (_what, error, reason) => {
  const inputs: Input[] = [];
  const reject = (): Promise<never> => Promise.reject(error);
  const store = new StoreAdapter({ set: reject, delete: reject, all: async () => [] }, (input) => inputs.push(input));
  store.delete("key");
  await store.idle(systemClock, 60_000);
  expect(inputs).toEqual([{ type: "delete-failed", key: "key", reason }]);
});

test("the age of a stored request counts over restarts, and a clock that was set back makes no request younger than new", async () => {
  const stored = new Map<string, StoredRequest>();
  const store: RequestStore = {
    set: async (key, request) => void stored.set(key, request),
    delete: async () => {},
    all: async () => stored,
  };
  let time = 1_000_000;
  const adapter = new StoreAdapter(
    store,
    () => {},
    () => time,
  );
  adapter.set("1", A_REQUEST);
  await adapter.idle(systemClock, 60_000);
  stored.set("2", A_REQUEST);
  const ages = async (): Promise<unknown> => (await adapter.load()).map((input) => "ageMs" in input && input.ageMs);
  time += 5_000;
  expect(await ages()).toEqual([5_000, 0]);
  time -= 9_000;
  expect(await ages()).toEqual([0, 0]);
});

test("a request that is stored anew keeps the time at which it was first stored, also over a restart", async () => {
  const set = vi.fn<RequestStore["set"]>(async () => {});
  const entries: [string, StoredRequest][] = [["1", { ...A_REQUEST, storedAt: 7 }]];
  let time = 1_000;
  const adapter = new StoreAdapter(
    { set, delete: async () => {}, all: async () => entries },
    () => {},
    () => time,
  );
  await adapter.load();
  adapter.set("2", A_REQUEST);
  time += 500;
  for (const key of ["1", "2"]) adapter.set(key, { ...A_REQUEST, lostWorkers: 1 });
  adapter.delete("2");
  adapter.set("2", A_REQUEST);
  await adapter.idle(systemClock, 60_000);
  expect(set.mock.calls.map(([key, request]) => [key, request.storedAt])).toEqual([
    ["2", 1_000],
    ["1", 7],
    ["2", 1_000],
    ["2", 1_500],
  ]);
});

test("the time of a stored request is the real one under fake timers", async () => {
  const set = vi.fn<RequestStore["set"]>(async () => {});
  const before = Date.now();
  vi.useFakeTimers({ now: 0, toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const adapter = new StoreAdapter({ set, delete: async () => {}, all: async () => [] }, () => {});
  adapter.set("1", A_REQUEST);
  await adapter.idle(systemClock, 60_000);
  expect(set.mock.calls[0]?.[1].storedAt).toBeGreaterThanOrEqual(before);
});

test("a clock that throws neither fails nor delays the wait for the store", async () => {
  const fail = (): never => {
    throw new Error("no time");
  };
  const uncaught = vi.fn();
  process.setUncaughtExceptionCaptureCallback(uncaught);
  onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
  const broken: Clock = { now: fail, alarm: () => ({ set: fail }) };
  const adapter = new StoreAdapter({ set: async () => {}, delete: async () => {}, all: async () => [] }, () => {});
  adapter.set("1", A_REQUEST);
  await adapter.idle(broken, 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught).toHaveBeenCalledTimes(2);
});

const A_REQUEST: StoredRequest = {
  version: 1,
  client: "c1",
  requestId: "r1",
  service: "echo",
  body: [],
  trailer: [],
  timeoutMs: null,
  retry: false,
  worker: null,
};

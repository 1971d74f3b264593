import { systemClock } from "@pigato/transport";
import { expect, test } from "vitest";
import type { Input } from "./core/effects.ts";
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

import { requestId, serviceName } from "@pigato/protocol";
import { parseRequestOptions } from "@pigato/protocol/internal";
import { expect, test } from "vitest";
import type { RequestMessage } from "./effects.ts";
import { canceled } from "./failures.ts";

const REQUEST: RequestMessage = {
  type: "request",
  service: serviceName("stocks"),
  requestId: requestId("r1"),
  body: [],
  trailer: [],
  options: parseRequestOptions("{}"),
};
const unreadable: Error = Object.defineProperty(new Error(), "name", {
  get() {
    throw new Error("unreadable");
  },
});

test.each([
  ["an error of its input", new Error("ENOENT: no such file"), "was canceled: ENOENT: no such file"],
  ["a passed timeout", new DOMException("too late", "TimeoutError"), "was canceled: too late"],
  ["a text", "the user left", "was canceled: the user left"],
  ["a long text", "x".repeat(1_000), `was canceled: ${"x".repeat(200)}…`],
  ["an error whose name cannot be read", unreadable, "was canceled: "],
  ["an abort", new DOMException("aborted", "AbortError"), "was canceled by its caller"],
  ["nothing", undefined, "was canceled by its caller"],
  ["an object", {}, "was canceled by its caller"],
])("the failure of a request that %s canceled has the reason in its message", (_what, reason, text) => {
  const { message, detail } = canceled(REQUEST, "maybe-executed", reason);
  expect(message).toBe(`request r1 to "stocks" ${text}`);
  expect(detail).toBe(reason);
});

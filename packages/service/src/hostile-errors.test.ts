// User code that throws where the host reads its results: it fails its request, and never the process.

import * as v from "valibot";
import { expect, test } from "vitest";
import { serverStream, service, unary } from "./index.ts";
import { start } from "./testing/start.ts";

const TASKS = service("tasks", {
  later: unary<null>(),
  now: unary<null>(),
  watch: serverStream<null>(),
  check: unary({ input: v.map(v.bigint(), v.string()) }),
});

function thrower(text: string): () => never {
  return () => {
    throw new Error(text);
  };
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  return proxy;
}

const UNREADABLE: readonly [string, () => unknown][] = [
  ["an error whose name throws", () => Object.defineProperty(new Error("x"), "name", { get: thrower("no name") })],
  [
    "an error of a contract whose code throws",
    () =>
      Object.defineProperty(Object.assign(new Error("x"), { name: "MethodError" }), "code", { get: thrower("code") }),
  ],
  ["an error whose message throws", () => Object.defineProperty(new Error(), "message", { get: thrower("message") })],
  ["a revoked proxy", revoked],
  ["an object without a prototype", () => Object.create(null)],
];

test.each(UNREADABLE)("a handler that throws %s fails its request alone", async (_name, make) => {
  const fail = (): never => {
    throw make();
  };
  const { client, warnings } = await start((host) => {
    host.serve(TASKS, {
      later: async () => fail(),
      now: fail,
      watch: async function* () {
        yield null;
        fail();
      },
      check: () => {},
    });
    host.register("plain", { later: async () => fail(), now: fail, works: () => 1 });
  });
  for (const method of ["later", "now", "watch"])
    await expect(client.call("tasks", null, { method })).rejects.toMatchObject({ code: "WORKER_FAILED" });
  for (const method of ["later", "now"])
    await expect(client.call("plain", null, { method })).rejects.toMatchObject({ code: "WORKER_FAILED" });
  expect(await client.call("plain", null, { method: "works" })).toBe(1);
  expect(warnings.length).toBeGreaterThan(0);
});

test("a fault at a key that JSON cannot carry reaches the caller as text", async () => {
  const { client } = await start((host) => {
    host.serve(TASKS, { later: () => {}, now: () => {}, watch: async function* () {}, check: () => {} });
  });
  const input = new Map([[1n, 2]]);
  await expect(client.call("tasks", input, { method: "check", codec: "msgpack" })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    detail: { issues: [{ path: ["1"] }] },
  });
});

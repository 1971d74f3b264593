// What a request keeps of the code that made it: the async context, the place in the stack, and the failure of a nested request.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { RequestError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("the store of an AsyncLocalStorage", () => {
  const storage = new AsyncLocalStorage<string>();

  test("is that of the request in its callbacks", async () => {
    const { client, broker } = await kit.started();
    broker.answer(["part"], "last");
    const seen: unknown[] = [];
    const note = (): unknown => seen.push(storage.getStore());
    for (const store of ["a", "b"]) storage.run(store, () => client.request("echo", 1, note, note));
    await settled();
    broker.onRequest = (request) => broker.fail(request, { code: "BUSY", message: "busy", delivery: "not-sent" });
    storage.run("failed", () => client.request("echo", 1, note, note));
    const caller = { onPartial: note, onFinal: note, onFailure: note };
    storage.run("open", () => client.open("echo", 1, caller));
    await settled();
    expect(seen).toEqual(["a", "a", "b", "b", "failed", "open"]);
  });

  test("is that of the request in the events of its stream", async () => {
    const { client, broker } = await kit.started();
    broker.answer(["part"], "last");
    const seen: unknown[] = [];
    const streamOf = (store: string) =>
      storage.run(store, () => {
        const stream = client.request("echo");
        for (const event of ["data", "end", "close", "error"] as const) {
          stream.on(event, () => seen.push(`${event} ${storage.getStore()}`));
        }
        return stream;
      });
    await once(streamOf("a"), "close");
    expect(seen).toEqual(["data a", "data a", "end a", "close a"]);
    seen.length = 0;
    broker.onRequest = (request) => broker.fail(request, { code: "BUSY", message: "busy", delivery: "not-sent" });
    streamOf("b");
    await settled();
    expect(seen).toEqual(["error b", "close b"]);
  });

  test("is that of the caller after an await", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    await storage.run("a", async () => {
      await client.call("echo", 1);
      expect(storage.getStore()).toBe("a");
      for await (const _chunk of client.request("echo", 1)) expect(storage.getStore()).toBe("a");
    });
  });
});

describe("the stack of a failed request", () => {
  async function failing(verb: "call" | "collect"): Promise<unknown> {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, { code: "BUSY", message: "too much", delivery: "not-sent" });
    return await client[verb]("echo", 1);
  }

  test.each(["call", "collect"] as const)("of %s() shows the functions that await it", async (verb) => {
    const { stack } = await failureOf(failing(verb));
    expect(stack).toMatch(/^RequestError: too much\n/);
    expect(stack).toMatch(/at (async )?failing \(.*client\.callers\.test\.ts/);
  });

  test("shows them through Promise.all", async () => {
    async function both(): Promise<unknown> {
      const { client, broker } = await kit.started();
      broker.onRequest = (request) => broker.fail(request, { code: "BUSY", message: "too much", delivery: "not-sent" });
      return await Promise.all([client.call("echo", 1), client.call("echo", 2)]);
    }
    expect((await failureOf(both())).stack).toMatch(/at (async )?both \(.*client\.callers\.test\.ts/);
  });
});

describe("the failure of a nested request", () => {
  const nested = {
    name: "RequestError",
    message: "no worker",
    code: "UNAVAILABLE",
    delivery: "not-sent",
    service: "b",
    requestId: "r9",
  };

  test("P-FAIL-5: keeps its code and delivery class, and is the cause", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.final(request, nested, -1);
    const error = await failureOf(client.call("a"));
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      delivery: "not-sent",
      isRetrySafe: true,
      message: "no worker",
      detail: nested,
    });
    expect(error.service).toBe("a");
    expect(error.cause).toBeInstanceOf(RequestError);
    expect(error.cause).toMatchObject({ code: "UNAVAILABLE", service: "b", requestId: "r9" });
  });

  test.each([
    ["has no delivery class", { ...nested, delivery: undefined }],
    ["has another name", { ...nested, name: "Error" }],
    ["has an unknown code", { ...nested, code: "TIRED" }],
  ])("is an error of the handler like any other if it %s", async (_what, detail) => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.final(request, detail, -1);
    const error = await failureOf(client.call("a"));
    expect(error).toMatchObject({ code: "WORKER_FAILED", delivery: "maybe-executed" });
    expect(error.cause).toBeUndefined();
  });
});

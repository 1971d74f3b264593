// What a request keeps of the code that made it: the async context, the place in the stack, and the failure of a nested request.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RequestError } from "@pigato/protocol";
import { isError, peerIdFromText } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import type { Client } from "./client.ts";
import type { ClientOptions } from "./options.ts";
import { failureOf, json, settled, TestKit } from "./testing/test-kit.ts";

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

  test("is that of the request in the other events of its stream", async () => {
    const { client, broker } = await kit.started();
    const seen: unknown[] = [];
    broker.onRequest = ({ requestId }) => {
      broker.send({ type: "notice", requestId, state: "queued", worker: undefined });
      broker.send({ type: "notice", requestId, state: "dispatched", worker: peerIdFromText("w1") });
      broker.send({ type: "request-heartbeat", requestId });
      broker.send({ type: "final", requestId, status: 0, body: [json("last")], trailer: [] });
    };
    storage.run("a", () => {
      const stream = client.request("echo", 1, { notices: true });
      for (const event of ["queued", "dispatched", "heartbeat", "readable"] as const) {
        stream.on(event, () => seen.push(`${event} ${storage.getStore()}`));
      }
      stream.on("readable", () => stream.read());
    });
    await settled();
    expect(seen).toEqual(["queued a", "dispatched a", "heartbeat a", "readable a"]);
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
  const BUSY = { code: "BUSY", message: "too much", delivery: "not-sent" } as const;
  /** The line of the function `asking`, which makes the request. */
  const ASKING = /at (async )?asking \(.*client\.callers\.test\.ts/;

  async function refusing(options?: ClientOptions): Promise<Client> {
    const { client, broker } = await kit.started(options);
    broker.onRequest = (request) => broker.fail(request, BUSY);
    return client;
  }

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ["call()", (client) => client.call("echo", 1)],
    ["collect()", (client) => client.collect("echo", 1)],
    ["Promise.all()", (client) => Promise.all([client.call("echo", 1), client.call("echo", 2)])],
    ["toArray() of a stream", (client) => client.request("echo", 1).toArray()],
    ["all() of a broadcast", (client) => client.broadcast("echo", 1).all()],
  ])("of %s shows the functions that await it", async (_verb, ask) => {
    const client = await refusing();
    async function asking(): Promise<unknown> {
      return await ask(client);
    }
    const { stack } = await failureOf(asking());
    expect(stack).toMatch(/^RequestError: too much\n/);
    expect(stack).toMatch(ASKING);
  });

  test.each<[string, (client: Client) => AsyncIterable<unknown>]>([
    ["a stream", (client) => client.request("echo", 1)],
    ["a broadcast", (client) => client.broadcast("echo", 1)],
  ])("of %s shows the functions that iterate over it", async (_verb, ask) => {
    const client = await refusing();
    async function asking(): Promise<void> {
      for await (const _chunk of ask(client)) expect.unreachable();
    }
    expect((await failureOf(asking())).stack).toMatch(ASKING);
  });

  test("of a stream shows the functions that iterate over it after some chunks", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      setImmediate(() => broker.fail(request, BUSY));
    };
    const chunks: unknown[] = [];
    async function asking(): Promise<void> {
      for await (const chunk of client.request("echo", 1)) chunks.push(chunk);
    }
    expect((await failureOf(asking())).stack).toMatch(ASKING);
    expect(chunks).toEqual([1]);
  });

  test("of a worker in a broadcast shows the functions that read it", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      if (request.service === "$dir") broker.final(request, ["w1", "w2"]);
      else broker.fail(request, BUSY);
    };
    async function asking(): Promise<(string | undefined)[]> {
      const stacks: (string | undefined)[] = [];
      for await (const { error } of client.broadcast("echo", 1)) stacks.push(error?.stack);
      return stacks;
    }
    const stacks = await asking();
    expect(stacks).toHaveLength(2);
    for (const stack of stacks) expect(stack).toMatch(ASKING);
  });

  describe.each<[string, (client: Client) => Promise<unknown>]>([
    ["the final callback", (client) => new Promise((resolve) => client.request("echo", 1, undefined, resolve))],
    ["the error event of a stream", (client) => once(client.request("echo", 1), "error").then(([error]) => error)],
    ["pipeline()", (client) => pipeline(client.request("echo", 1), new PassThrough()).catch((error: unknown) => error)],
    [
      "a caller of open()",
      (client) =>
        new Promise((onFailure) => client.open("echo", 1, { onPartial: () => {}, onFinal: () => {}, onFailure })),
    ],
  ])("in %s", (_form, ask) => {
    async function stackIn(options: ClientOptions): Promise<unknown> {
      const client = await refusing(options);
      async function asking(): Promise<unknown> {
        return await ask(client);
      }
      const error = await asking();
      return isError(error) ? error.stack : error;
    }

    test("shows the caller with callerStacks", async () => {
      const stack = await stackIn({ callerStacks: true });
      expect(stack).toMatch(/^RequestError: too much\n/);
      expect(stack).toMatch(ASKING);
    });

    test("does not show it by default, because that costs more than the request", async () => {
      expect(await stackIn({})).not.toMatch(ASKING);
    });
  });
});

test("the stack of a failed start shows the functions that await it", async () => {
  const client = kit.newClient();
  async function starting(): Promise<void> {
    await client.start();
  }
  const started = failureOf(starting());
  await client.stop();
  expect((await started).stack).toMatch(/at (async )?starting \(.*client\.callers\.test\.ts/);
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
    expect(error.cause).not.toBeInstanceOf(RequestError);
    expect(error.cause).toMatchObject({ name: detail.name, message: "no worker", code: detail.code });
  });
});

// Requests as a loop: `for await (const request of worker.requests())`.

import { ProcessWarnings } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import type { WorkerOptions } from "./options.ts";
import type { IncomingRequest, RequestLoop } from "./request-loop.ts";
import { turn } from "./testing/recording-port.ts";
import { type SetUp, setUp } from "./testing/set-up.ts";

async function connected(options: WorkerOptions = {}): Promise<SetUp & { readonly loop: RequestLoop }> {
  const peers = await setUp(options);
  const loop = peers.worker.requests();
  await peers.connect();
  return { ...peers, loop };
}

async function nextOf(loop: RequestLoop): Promise<IncomingRequest> {
  const { value } = await loop.next();
  if (value === undefined) throw new Error("the loop has ended");
  return value;
}

describe("a loop over requests", () => {
  test("gets them in order, with data, reply and options, whether they came before it asked or after", async () => {
    const { broker, loop, settle } = await connected();
    broker.request("r1", "1", '{"headers":{"a":"b"}}');
    broker.request("r2", "2");
    await settle();
    for (const expected of [1, 2, 3]) {
      const next = nextOf(loop);
      if (expected === 3) broker.request("r3", "3");
      const { data, reply, opts } = await next;
      expect([data, opts, reply.service]).toEqual([expected, expected === 1 ? { headers: { a: "b" } } : {}, "echo"]);
      reply.end(Number(data) * 2);
    }
    await settle();
    expect(broker.takeMessages()).toEqual(["final r1 0 2", "final r2 0 4", "final r3 0 6"]);
  });

  test("may wait several times at once", async () => {
    const { broker, loop, settle } = await connected();
    const both = Promise.all([nextOf(loop), nextOf(loop)]);
    broker.request("r1", "1");
    broker.request("r2", "2");
    await settle();
    expect((await both).map(({ data }) => data)).toEqual([1, 2]);
  });

  test("does not get a request that was canceled while it waited", async () => {
    const { broker, loop, settle } = await connected();
    broker.request("r1", "1");
    broker.request("r2", "2");
    broker.request("r3", "3");
    broker.cancel("r1");
    await settle();
    broker.cancel("r2");
    expect((await nextOf(loop)).data).toBe(3);
  });

  test("ends when the worker has stopped, after the requests that wait", async () => {
    const { broker, worker, loop, settle, network, events } = await connected();
    broker.request("r1", "1");
    const data: unknown[] = [];
    const done = (async () => {
      for await (const request of loop) {
        data.push(request.data);
        request.reply.end();
      }
    })();
    const stopped = worker.stop();
    await settle();
    await turn();
    network.deliver();
    await Promise.all([stopped, done]);
    expect(data).toEqual([1]);
    expect(events.at(-1)).toBe("stop");
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  test("ends when its worker is stopped before its start", async () => {
    const { worker } = await setUp();
    const next = worker.requests().next();
    await worker.stop();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("is not a worker without a handler, and is one when it has ended", async () => {
    const warnings = new ProcessWarnings();
    const { broker, loop, settle } = await connected();
    await settle();
    expect(await warnings.take()).toEqual([]);
    await loop[Symbol.asyncDispose]();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(["reject r1"]);
    expect(await warnings.take()).toHaveLength(1);
  });
});

describe("a loop that is left", () => {
  async function messagesAfter(body: (request: IncomingRequest) => void, options?: WorkerOptions): Promise<string[]> {
    const { broker, loop, settle } = await connected(options);
    for (const id of ["1", "2", "3"]) broker.request(`r${id}`, id);
    await settle();
    try {
      for await (const request of loop) {
        body(request);
        break;
      }
    } catch {}
    await settle();
    return broker.takeMessages();
  }
  const failed =
    'final r1 -1 {"name":"Error","message":"the worker left its loop over requests without a reply to this one"}';

  test("fails the request in its body, and rejects those that wait", async () => {
    expect(await messagesAfter(() => {})).toEqual([failed, "reject r2", "reject r3"]);
  });

  test("does so for an exception in its body", async () => {
    const messages = await messagesAfter(() => {
      throw new Error("boom");
    });
    expect(messages).toEqual([failed, "reject r2", "reject r3"]);
  });

  test("leaves a reply alone that its body has ended", async () => {
    const messages = await messagesAfter(({ reply }) => reply.end(1));
    expect(messages).toEqual(["final r1 0 1", "reject r2", "reject r3"]);
  });

  test("keeps the requests for another open loop", async () => {
    const { worker, broker, loop, settle } = await connected();
    const other = worker.requests();
    broker.request("r1", "1");
    broker.request("r2", "2");
    await settle();
    const { reply } = await nextOf(loop);
    reply.end();
    const pending = loop.next();
    expect((await pending).value?.data).toBe(2);
    await loop.return();
    broker.request("r3", "3");
    expect((await nextOf(other)).data).toBe(3);
  });

  test("ends its own waiting calls, and not those of another loop", async () => {
    const { worker, broker, loop } = await connected();
    const other = nextOf(worker.requests());
    const waiting = loop.next();
    await loop.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    broker.request("r1", "1");
    expect((await other).data).toBe(1);
  });
});

describe("requests() and a listener for request", () => {
  test("requests() throws if there is a listener", async () => {
    const { worker } = await setUp();
    worker.on("request", () => {});
    expect(() => worker.requests()).toThrow(
      'worker "echo" has a request handler: remove it before you call requests()',
    );
  });

  test("a listener that is added to a loop is a warning", async () => {
    const warnings = new ProcessWarnings();
    const { worker, settle } = await connected();
    worker.on("request", () => {});
    await settle();
    expect(await warnings.take()).toContainEqual(expect.stringContaining("PIGATO_SEVERAL_HANDLERS"));
  });
});

import { type Failure, type RequestError, readText, writeText } from "@pigato/protocol";
import { describe, expect, expectTypeOf, test } from "vitest";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("open()", () => {
  test("calls its listener for every reply, and never before it has returned", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, null], "last");
    const calls: unknown[] = [];
    const request = client.open("echo", "data", {
      onPartial: (value) => calls.push(["partial", value]),
      onFinal: (value) => calls.push(["final", value]),
      onFailure: (error) => calls.push(["failure", error.code]),
    });
    expect(calls).toEqual([]);
    await client.call("echo");
    expect(calls).toEqual([
      ["partial", 1],
      ["partial", null],
      ["final", "last"],
    ]);
    expect(broker.requests[0]?.requestId).toBe(request.requestId);
  });

  test("returns a handle of the request that sends heartbeats while it is open and can end it", async () => {
    const { client, broker } = await kit.started();
    const codes: string[] = [];
    const caller = { onPartial() {}, onFinal() {}, onFailure: ({ code }: RequestError) => codes.push(code) };
    const request = client.open("echo", "data", caller);
    request.heartbeat();
    request.cancel("enough");
    request.heartbeat();
    await settled();
    expect(codes).toEqual(["CANCELED"]);
    expect(broker.typesSeen()).toEqual(["request", "request-heartbeat", "cancel"]);
  });
});

describe("call()", () => {
  test("resolves to the final value, whatever partials came before", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, 2], { last: true });
    const answer = client.call<{ last: boolean }>("echo", "data");
    expectTypeOf(answer).toEqualTypeOf<Promise<{ last: boolean }>>();
    expect(await answer).toEqual({ last: true });
  });

  test.each([
    [[1, 2], null, 2],
    [[1, 2], undefined, 2],
    [[1, null], null, null],
    [[0], null, 0],
    [[1], 0, 0],
    [[1], "", ""],
    [[1], false, false],
    [[], null, null],
    [[], undefined, undefined],
  ])("of a reply with the partials %j and the final %j resolves to %j", async (partials, final, value) => {
    const { client, broker } = await kit.started();
    broker.answer(partials, final);
    expect(await client.call("echo", "data")).toBe(value);
  });

  test.each([[0], [false], [""], [null], [undefined], ["snow ☃ and 𝄞"], [[1, { two: 2 }]]])(
    "sends and receives %o unchanged",
    async (data) => {
      const { client, broker } = await kit.started();
      broker.echo();
      expect(await client.call("echo", data)).toEqual(data);
    },
  );

  test("sends a Buffer as the classic wire does", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    expect(await client.call("echo", Buffer.from("hi"))).toEqual({ type: "Buffer", data: [104, 105] });
  });

  test("sends and receives ten megabytes", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const data = "x".repeat(10 * 1024 * 1024);
    expect((await client.call("echo", data)) === data).toBe(true);
  });

  test("reaches services whose names are properties of Object.prototype or not ASCII", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    for (const service of ["__proto__", "constructor", "größe"]) await client.call(service, 1);
    expect(broker.requests.map(({ service }) => service)).toEqual([
      "__proto__",
      "constructor",
      "gr\u00c3\u00b6\u00c3\u009fe",
    ]);
  });

  test("gives every request a unique id, within a client and among clients", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const other = kit.newClient();
    await Promise.all([client.call("a"), client.call("a"), other.start().then(() => other.call("a"))]);
    expect(new Set(broker.requests.map(({ requestId }) => requestId)).size).toBe(3);
  });

  test("sends the options as the classic wire does, with the caller's headers", async () => {
    const { client, broker } = await kit.started({ timeout: 4_000, retry: 1 });
    broker.echo();
    await client.call("echo", 1);
    await client.call("echo", 1, { timeout: -1, retry: 0, workerId: "w1", headers: { tenant: "t1" } });
    expect(broker.requests.map(({ trailer }) => trailer.map(readText))).toEqual([
      ['{"timeout":4000,"retry":1}'],
      ['{"timeout":-1,"retry":0,"workerId":"w1","headers":{"tenant":"t1"}}'],
    ]);
  });

  test("rejects with the broker's failure, which names the request", async () => {
    const { client, broker } = await kit.started();
    const failure: Failure = { code: "UNAVAILABLE", message: "no worker", delivery: "queued", detail: "d" };
    broker.onRequest = (request) => broker.fail(request, failure);
    const error = await failureOf(client.call("größe", 1));
    expect(error).toMatchObject({ ...failure, service: "größe", requestId: broker.requests[0]?.requestId });
    expect(error.isRetrySafe).toBe(true);
  });

  test("rejects with the worker's own error", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.final(request, { name: "TypeError", message: "boom" }, -1);
    const error = await failureOf(client.call("echo"));
    expect(error).toMatchObject({ code: "WORKER_FAILED", message: "boom", detail: { name: "TypeError" } });
    expect(error.isRetrySafe).toBe(false);
  });

  test("rejects with INVALID when the reply cannot be read", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = ({ requestId }) =>
      broker.send({ type: "final", requestId, status: 0, body: [writeText("{oops")], trailer: [] });
    expect(await failureOf(client.call("echo"))).toMatchObject({ code: "INVALID", delivery: "maybe-executed" });
  });

  test.each([
    ["an array", "[".repeat(200_000) + "]".repeat(200_000)],
    ["a field", `{"detail":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("rejects with an error of the worker that is too deep to be shown: %s", async (_what, deep) => {
    const { client, broker } = await kit.started();
    broker.onRequest = ({ requestId }) =>
      broker.send({ type: "final", requestId, status: -1, body: [writeText(deep)], trailer: [] });
    expect(await failureOf(client.call("echo"))).toMatchObject({
      code: "WORKER_FAILED",
      message: "an error that cannot be shown",
    });
    broker.echo();
    expect(await client.call("echo", 1)).toBe(1);
  });

  test("rejects misuse at once, without sending anything", async () => {
    const { client, broker } = await kit.started();
    await expect(client.call("")).rejects.toThrow("the service must be text of 1 to 255 bytes of UTF-8, not ''");
    await expect(client.call("echo", 1n)).rejects.toMatchObject({ name: "UsageError" });
    await expect(client.call("echo", 1, { timeout: Number.NaN })).rejects.toThrow("timeout must be");
    expect(broker.requests).toEqual([]);
  });
});

describe("collect()", () => {
  test("resolves to every chunk in order, including a null in the middle", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, null, undefined, 2], 3);
    expect(await client.collect("echo")).toEqual([1, null, undefined, 2, 3]);
  });

  test("adds no chunk for a final without a value", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1], null);
    expect(await client.collect("echo")).toEqual([1]);
    broker.answer([], undefined);
    expect(await client.collect("echo")).toEqual([]);
    broker.answer([], 0);
    expect(await client.collect("echo")).toEqual([0]);
  });

  test("rejects when the request fails midway", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.final(request, "boom", -1);
    };
    expect(await failureOf(client.collect("echo"))).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
  });
});

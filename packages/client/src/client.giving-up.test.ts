import { once } from "node:events";
import { uncaughtErrors } from "@pigato/testkit";
import { describe, expect, test, vi } from "vitest";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("an AbortSignal", () => {
  test("ends the request at the client and at the broker", async () => {
    const { client, broker } = await kit.started();
    const controller = new AbortController();
    const answer = client.call("echo", 1, { signal: controller.signal });
    await settled();
    controller.abort("enough");
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "CANCELED", delivery: "maybe-executed", detail: "enough" });
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("that has aborted before prevents the request from being sent", async () => {
    const { client, broker } = await kit.started();
    const answer = client.call("echo", 1, { signal: AbortSignal.abort() });
    expect(await failureOf(answer)).toMatchObject({ code: "CANCELED", delivery: "not-sent" });
    expect(broker.requests).toEqual([]);
  });

  test("ends the request, also with a reason that throws when it is read", async () => {
    const { client } = await kit.started();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const early = await failureOf(client.call("echo", 1, { signal: AbortSignal.abort(proxy) }));
    const controller = new AbortController();
    const late = failureOf(client.call("echo", 1, { signal: controller.signal }));
    await settled();
    controller.abort(proxy);
    expect([early.code, (await late).code]).toEqual(["CANCELED", "CANCELED"]);
  });

  test("has no listener left when the request has ended, however it ends", async () => {
    const { client, broker } = await kit.started();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    broker.echo();
    await client.call("echo", 1, { signal });
    expect(remove).toHaveBeenCalledTimes(1);
    broker.onRequest = (request) => broker.final(request, "boom", -1);
    await failureOf(client.call("echo", 1, { signal }));
    expect(remove).toHaveBeenCalledTimes(2);
  });

  test("of another implementation that throws fails its request, or is uncaught after the reply", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const fail = (): void => {
      throw new Error("not supported");
    };
    const signal = { aborted: false, addEventListener: fail, removeEventListener: fail };
    const options: object = { signal };
    await expect(client.call("echo", 1, options)).rejects.toThrow("not supported");
    signal.addEventListener = () => {};
    const uncaught = uncaughtErrors();
    expect(await client.call("echo", 1, options)).toBe(1);
    await settled();
    expect(uncaught).toEqual([new Error("not supported")]);
  });

  test("has one listener, however many requests it may cancel", async () => {
    const { client, broker } = await kit.started();
    const controller = new AbortController();
    const { signal } = controller;
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    const calls = Array.from({ length: 20 }, () => failureOf(client.call("echo", 1, { signal })));
    await settled();
    const [first] = broker.requests;
    if (first !== undefined) broker.final(first, "boom", -1);
    expect(await calls[0]).toMatchObject({ code: "WORKER_FAILED" });
    expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 0]);
    controller.abort("enough");
    const failures = await Promise.all(calls.slice(1));
    expect(failures.map(({ code, detail }) => [code, detail])).toEqual(failures.map(() => ["CANCELED", "enough"]));
    expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  });

  test("has one listener for many broadcasts, and none when they have ended", async () => {
    const { client, broker } = await kit.started();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    broker.onRequest = (request) => broker.final(request, []);
    const broadcasts = Array.from({ length: 20 }, () => client.broadcast("echo", 1, { signal }).all());
    expect(await Promise.all(broadcasts)).toEqual(broadcasts.map(() => []));
    await settled();
    expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  });

  test("that has aborted before cancels a broadcast", async () => {
    const { client } = await kit.started();
    const broadcast = client.broadcast("echo", 1, { signal: AbortSignal.abort() });
    expect(await failureOf(broadcast.all())).toMatchObject({ code: "CANCELED", delivery: "not-sent" });
  });

  test("fails a stream", async () => {
    const { client } = await kit.started();
    const controller = new AbortController();
    const stream = client.request("echo", 1, { signal: controller.signal });
    controller.abort();
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: "CANCELED" });
  });
});

describe("a timeout", () => {
  test("fails the request when its broker sends nothing during the grace period", async () => {
    const { client, broker } = await kit.started();
    const answer = client.call("echo", 1, { timeout: 500 });
    await settled();
    kit.clock.advance(700);
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "maybe-executed" });
    expect(error.message).toMatch(/^request \S+ to "echo" exceeded its 500 ms timeout$/);
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("fails a request that was never sent, which is safe to retry", async () => {
    const client = kit.newClient();
    void client.start().catch(() => {});
    const answer = client.call("echo", 1, { timeout: 500 });
    kit.clock.advance(500);
    expect(await failureOf(answer)).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
  });

  test("ignores a late reply", async () => {
    const { client, broker } = await kit.started();
    const onError = vi.fn();
    client.on("error", onError);
    const answer = client.call("echo", 1, { timeout: 500 });
    await settled();
    kit.clock.advance(700);
    await failureOf(answer);
    for (const request of broker.requests) {
      broker.partial(request, 1);
      broker.final(request, 2);
    }
    broker.echo();
    expect(await client.call("echo", 3)).toBe(3);
    expect(onError).not.toHaveBeenCalled();
  });
});

import { uncaughtErrors } from "@pigato/testkit";
import { describe, expect, test, vi } from "vitest";
import { settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("request() with callbacks", () => {
  test("passes each partial to one callback, and the final once to the other", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, null], "last");
    const received: unknown[] = [];
    await new Promise<void>((resolve) => {
      const returned = client.request(
        "echo",
        "data",
        (error, value) => received.push(["partial", error, value]),
        (error, value) => {
          received.push(["final", error, value]);
          resolve();
        },
        { timeout: 30_000 },
      );
      expect(returned).toBeUndefined();
    });
    expect(received).toEqual([
      ["partial", null, 1],
      ["partial", null, null],
      ["final", null, "last"],
    ]);
    expect(broker.requests[0]?.options.timeoutMs).toBe(30_000);
  });

  test("delivers no partial after its signal has aborted, even from the same message", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.partials(request, [1, 2, 3]);
    const giveUp = new AbortController();
    const received: unknown[] = [];
    await new Promise<void>((resolve) => {
      const onPartial = (_error: unknown, value: unknown) => {
        received.push(value);
        if (value === 2) giveUp.abort();
      };
      client.request("echo", "data", onPartial, () => resolve(), { signal: giveUp.signal });
    });
    expect(received).toEqual([1, 2]);
  });

  test("accepts either callback alone", async () => {
    const { client, broker } = await kit.started();
    broker.answer([["w0"]], ["w1", "w2"]);
    const workers = await new Promise((resolve) => {
      client.request<string[]>("$dir", "echo", undefined, (_error, value) => resolve(value));
    });
    expect(workers).toEqual(["w1", "w2"]);
    const partial = await new Promise((resolve) => {
      client.request("echo", "data", (_error, value) => resolve(value));
    });
    expect(partial).toEqual(["w0"]);
    expect(client.request("echo", "data", undefined, undefined)).toBeUndefined();
  });

  test("passes the failure to the final callback only", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.final(request, "boom", -1);
    const onPartial = vi.fn();
    const [error, value] = await new Promise<unknown[]>((resolve) => {
      client.request("echo", "data", onPartial, (...received) => resolve(received));
    });
    expect(error).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
    expect(value).toBeNull();
    expect(onPartial).not.toHaveBeenCalled();
  });

  test("never calls a callback before it has returned", async () => {
    const { client } = await kit.started({ maxOpenRequests: 1 });
    void client.call("echo").catch(() => {});
    const onFinal = vi.fn();
    client.request("echo", 1, undefined, onFinal);
    expect(onFinal).not.toHaveBeenCalled();
    await settled();
    expect(onFinal.mock.calls).toEqual([[expect.objectContaining({ code: "BUSY", delivery: "not-sent" }), null]]);
  });

  test("continues to serve all requests when a callback throws", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1], 2);
    const uncaught = uncaughtErrors();
    const onFinal = vi.fn(() => {
      throw new Error("final threw");
    });
    client.request(
      "echo",
      1,
      () => {
        throw new Error("partial threw");
      },
      onFinal,
    );
    expect(await client.collect("echo")).toEqual([1, 2]);
    expect(onFinal).toHaveBeenCalledOnce();
    await settled();
    expect(uncaught.map(String)).toEqual(["Error: partial threw", "Error: final threw"]);
  });

  test("allows another request within a callback", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const second = await new Promise((resolve) => {
      client.request("echo", 1, undefined, () => {
        client.request("echo", 2, undefined, (_error, value) => resolve(value));
      });
    });
    expect(second).toBe(2);
  });

  test("rejects an argument that is neither a callback nor options", async () => {
    const { client } = await kit.started();
    const loose: { request(...args: unknown[]): unknown } = client;
    expect(() => loose.request("echo", 1, "soon")).toThrow("the options of a request must be an object, not 'soon'");
    expect(() => loose.request("echo", 1, {}, () => {})).toThrow("the partial callback must be a function, not {}");
    expect(() => loose.request("echo", 1, () => {}, {})).toThrow("the final callback must be a function, not {}");
    expect(() => loose.request(7)).toThrow("the service must be text");
  });
});

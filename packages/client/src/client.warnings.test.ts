// What a client warns of, and what the errors of its requests say of it.

import { ProcessWarnings } from "@pigato/testkit";
import type { Transport } from "@pigato/transport";
import { LinkError } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();
const ADDRESS = "memory://broker";
const REFUSED = `connect ECONNREFUSED ${ADDRESS}`;

/** A network without a broker: every attempt is refused. */
function refusing(): Transport {
  return {
    router: (handlers) => kit.network.router(handlers),
    publisher: () => kit.network.publisher(),
    subscriber: (handlers) => kit.network.subscriber(handlers),
    dealer: (handlers) => ({
      connect: (address) =>
        handlers.onAttemptFailed?.(
          new LinkError("UNREACHABLE", `cannot connect to ${address}: ${REFUSED}`, { address }),
        ),
      send: () => "queued",
      close: async () => {},
    }),
  };
}

describe("a client without a logger", () => {
  test("warns after three seconds without a connection", async () => {
    const warnings = new ProcessWarnings();
    void kit.newClient({ transport: refusing() }).start();
    kit.clock.advance(3_000);
    expect(await warnings.take()).toEqual([
      `PIGATO_NOT_CONNECTED: a client is not connected after 3 s: no broker reached at ${ADDRESS}: ${REFUSED}`,
    ]);
  });

  test("warns of a request before start(), unless start() follows at once", async () => {
    const warnings = new ProcessWarnings();
    const { client } = await kit.started();
    client.call("echo").catch(() => {});
    const late = kit.newClient();
    late.call("echo").catch(() => {});
    void late.start();
    expect(await warnings.take()).toEqual([]);
    const never = kit.newClient();
    for (const service of ["echo", "other"]) never.call(service).catch(() => {});
    await settled();
    expect(await warnings.take()).toEqual([
      'PIGATO_NOT_STARTED: a request to "echo" waits, because its client was not started: call client.start()',
    ]);
  });

  test("warns of an error event that has no listener", async () => {
    const warnings = new ProcessWarnings();
    const { client, broker } = await kit.started();
    const frames = [new TextEncoder().encode("X"), new TextEncoder().encode("?")];
    broker.sendFrames(frames);
    await settled();
    expect(await warnings.take()).toEqual([expect.stringMatching(/^PIGATO_ERROR: the broker violated P-MSG-1/)]);
    client.on("error", () => {});
    broker.sendFrames(frames);
    await settled();
    expect(await warnings.take()).toEqual([]);
  });

  test("warns when call() leaves out chunks", async () => {
    const warnings = new ProcessWarnings();
    const { client, broker } = await kit.started();
    broker.answer([1], null);
    expect(await client.call("echo")).toBe(1);
    broker.answer([1, 2], "final");
    expect(await client.call("echo")).toBe("final");
    expect(await warnings.take()).toEqual([]);
    broker.answer([1, 2, 3], null);
    expect(await client.call("echo")).toBe(3);
    expect(await warnings.take()).toEqual([
      'PIGATO_LAST_CHUNK: a call to "echo" resolved to the last chunk of a reply without a final value, and left out 2 before it: use collect()',
    ]);
  });
});

test("a client with logger: false warns of nothing", async () => {
  const warnings = new ProcessWarnings();
  const client = kit.newClient({ transport: refusing(), logger: false });
  client.call("echo").catch(() => {});
  await settled();
  void client.start();
  kit.clock.advance(10_000);
  expect(await warnings.take()).toEqual([]);
});

describe("the error of a request that was not sent", () => {
  test("says why no broker was reached", async () => {
    const client = kit.newClient({ transport: refusing(), logger: false });
    void client.start();
    const failure = failureOf(client.call("echo", 1, { timeout: 100 }));
    kit.clock.advance(100);
    const { code, delivery, message } = await failure;
    expect({ code, delivery }).toEqual({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
    expect(message).toMatch(/ exceeded its 100 ms timeout; no broker reached at /);
    expect(message).toContain(`no broker reached at ${ADDRESS}: ${REFUSED}`);
  });

  test("says so when too many wait", async () => {
    const client = kit.newClient({ transport: refusing(), logger: false, maxQueuedRequests: 0 });
    void client.start();
    expect((await failureOf(client.call("echo"))).message).toContain(`; no broker reached at ${ADDRESS}`);
  });

  test("says that the client was not started", async () => {
    const client = kit.newClient({ logger: false });
    const failure = failureOf(client.call("echo", 1, { timeout: 100 }));
    kit.clock.advance(100);
    expect((await failure).message).toMatch(/ exceeded its 100 ms timeout; the client was not started$/);
  });

  test("says nothing of it when the broker reports the failure", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, { code: "BUSY", message: "too much", delivery: "not-sent" });
    expect((await failureOf(client.call("echo"))).message).toBe("too much");
  });
});

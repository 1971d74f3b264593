import { requestId, writeText } from "@pigato/protocol";
import {
  type DealerHandlers,
  type FramesToSend,
  LinkError,
  type SendOutcome,
  type Transport,
  toBytes,
} from "@pigato/transport";
import { describe, expect, test, vi } from "vitest";
import { ADDRESS, FakeBroker, failureOf, onceEvent, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("a lost broker", () => {
  test("fails requests without retry, and gets the others again", async () => {
    const { client, broker } = await kit.started();
    const once = client.call("echo", 1);
    const again = client.call("echo", 2, { retry: true });
    await settled();
    kit.network.cut(ADDRESS);
    expect(await failureOf(once)).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
    broker.echo();
    kit.clock.advance(1_000);
    expect(await again).toBe(2);
    const [, second, third] = broker.requests;
    expect(third?.requestId).toBe(second?.requestId);
  });

  test("is replaced by another that is reachable", async () => {
    const first = await new FakeBroker(kit.network).listen("memory://first");
    const second = await new FakeBroker(kit.network).listen("memory://second");
    second.echo();
    const client = kit.newClient({}, ["memory://first", "memory://second"]);
    await client.start();
    await first.router.close();
    await settled();
    const answer = client.call("echo", 1);
    kit.clock.advance(1_000);
    expect(await answer).toBe(1);
  });

  test("that falls silent is lost after three intervals", async () => {
    const { client, broker } = await kit.started({ heartbeat: 100 });
    const reason = onceEvent(client, "disconnect");
    for (const peer of broker.peers) broker.router.congested.add(peer);
    kit.clock.advance(300);
    expect(await reason).toBe("silence");
  });
});

describe("a reply to no open request", () => {
  test("is ignored if it is late, and reported as an error if the request never existed", async () => {
    const { client, broker } = await kit.started();
    const errors: Error[] = [];
    client.on("error", (error) => errors.push(error));
    broker.echo();
    await client.call("echo", 1);
    const [request] = broker.requests;
    if (request === undefined) throw new Error("no request");
    broker.final(request, "late");
    for (const id of ["never-made", `${request.requestId}z`]) broker.final({ ...request, requestId: requestId(id) }, 1);
    await settled();
    expect(errors.map(({ cause }) => cause)).toMatchObject([
      { clause: "P-RID-2", requestId: "never-made" },
      { clause: "P-RID-2", requestId: `${request.requestId}z` },
    ]);
  });
});

test("heartbeat() sends a heartbeat at once, for a request or for the connection", async () => {
  const { client, broker } = await kit.started();
  client.heartbeat();
  client.heartbeat("a request of another client");
  await settled();
  expect(broker.messages.slice(-2)).toMatchObject([
    { type: "heartbeat" },
    { type: "request-heartbeat", requestId: "a request of another client" },
  ]);
});

describe("a link", () => {
  /** The network of the kit, with links whose send outcome the test sets. Messages with that outcome are discarded. */
  function watched(): {
    transport: Transport;
    handlers: DealerHandlers[];
    outcomes: SendOutcome[];
    taken: FramesToSend[];
    limits: unknown[];
  } {
    const handlers: DealerHandlers[] = [];
    const outcomes: SendOutcome[] = [];
    const taken: FramesToSend[] = [];
    const limits: unknown[] = [];
    const dealer: Transport["dealer"] = (own, options) => {
      handlers.push(own);
      limits.push(options.limits?.maxQueuedMessages);
      const link = kit.network.dealer(own, options);
      const send = (frames: FramesToSend): SendOutcome => {
        const outcome = outcomes.shift();
        if (outcome === undefined) return link.send(frames);
        taken.push(frames);
        return outcome;
      };
      return { connect: (address) => link.connect(address), send, close: () => link.close() };
    };
    const transport: Transport = {
      router: (own) => kit.network.router(own),
      dealer,
      publisher: () => kit.network.publisher(),
      subscriber: (own) => kit.network.subscriber(own),
    };
    return { transport, handlers, outcomes, taken, limits };
  }

  test("that is full fails the request, but never within the call", async () => {
    const { transport, outcomes } = watched();
    const { client } = await kit.started({ transport });
    outcomes.push("congested");
    const onFinal = vi.fn();
    client.request("echo", 1, undefined, onFinal);
    expect(onFinal).not.toHaveBeenCalled();
    await settled();
    expect(onFinal.mock.calls).toEqual([[expect.objectContaining({ code: "BUSY", delivery: "not-sent" }), null]]);
  });

  test("accepts as many messages as there may be requests, and heartbeats as well", async () => {
    const { transport, limits } = watched();
    await kit.started({ transport, maxOpenRequests: 1_000_000 });
    await kit.newClient({ transport, maxOpenRequests: 1 }).start();
    expect(limits).toEqual([2_000_000, 100_000]);
  });

  test("that is slow still sends the request", async () => {
    const { transport, outcomes } = watched();
    const { client } = await kit.started({ transport });
    outcomes.push("slow");
    const answer = client.call("echo", 1, { timeout: 100 });
    kit.clock.advance(300);
    expect(await failureOf(answer)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test("that returns a request sends it with the next heartbeat", async () => {
    const { transport, handlers, outcomes, taken } = watched();
    const { client, broker } = await kit.started({ transport });
    broker.echo();
    outcomes.push("queued");
    const answer = client.call("echo", 1);
    for (const frames of taken) handlers[0]?.onUndelivered?.(toBytes(frames));
    kit.clock.advance(2_500);
    expect(await answer).toBe(1);
  });

  test("that fails is reported, and replaced", async () => {
    const { transport, handlers } = watched();
    const { client, broker } = await kit.started({ transport });
    broker.echo();
    const failed = onceEvent(client, "error");
    handlers[0]?.onError?.(new LinkError("FAILED", "the socket broke"));
    expect(await failed).toMatchObject({ message: "the socket broke" });
    const answer = client.call("echo", 1);
    kit.clock.advance(1_000);
    expect(await answer).toBe(1);
  });

  test("of an earlier connection is ignored", async () => {
    const { transport, handlers } = watched();
    const { client, broker } = await kit.started({ transport });
    kit.network.cut(ADDRESS);
    kit.clock.advance(1_000);
    await settled();
    broker.echo();
    const onTrouble = vi.fn();
    client.on("disconnect", onTrouble).on("error", onTrouble);
    handlers[0]?.onDown?.();
    handlers[0]?.onUp?.({});
    handlers[0]?.onMessage([]);
    handlers[0]?.onError?.(new LinkError("FAILED", "the socket broke"));
    expect(await client.call("echo", 1)).toBe(1);
    expect(onTrouble).not.toHaveBeenCalled();
  });
});

describe("a broker that breaks the protocol", () => {
  test("is reported, and fails no other request", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const failed = onceEvent(client, "error");
    broker.sendFrames([writeText("X"), writeText("?")]);
    expect(await failed).toMatchObject({ message: expect.stringMatching(/^the broker violated P-MSG-1: /) });
    broker.sendFrames([]);
    broker.sendFrames([writeText("C"), writeText("3")]);
    expect(await client.call("echo", 1)).toBe(1);
  });
});

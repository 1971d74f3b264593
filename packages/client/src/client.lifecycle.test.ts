import { uncaughtErrors } from "@pigato/testkit";
import type { Transport } from "@pigato/transport";
import { describe, expect, test, vi } from "vitest";
import { ADDRESS, FakeBroker, failureOf, onceEvent, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("start()", () => {
  test("resolves when a broker has answered, however late it starts", async () => {
    const client = kit.newClient();
    const onStarted = vi.fn();
    const started = client.start().then(onStarted);
    kit.clock.advance(60_000);
    await settled();
    expect(onStarted).not.toHaveBeenCalled();
    await new FakeBroker(kit.network).listen();
    await started;
  });

  test("sends the requests made before it or while it runs", async () => {
    const broker = await new FakeBroker(kit.network).listen();
    broker.echo();
    const client = kit.newClient();
    const answers = [client.call("echo", 1)];
    void client.start();
    answers.push(client.call("echo", 2));
    expect(await Promise.all(answers)).toEqual([1, 2]);
  });

  test("can be called twice, and accepts a callback", async () => {
    await new FakeBroker(kit.network).listen();
    const client = kit.newClient();
    const onConnect = vi.fn();
    client.on("connect", onConnect);
    const first = client.start();
    expect(client.start()).toBe(first);
    await new Promise<void>((resolve) => {
      void client.start((error) => {
        expect(error).toBeUndefined();
        resolve();
      });
    });
    expect(onConnect).toHaveBeenCalledOnce();
  });

  test("rejects when the client stops first, and need not be awaited", async () => {
    const client = kit.newClient();
    void client.start();
    const onStarted = vi.fn();
    const start = client.start(onStarted);
    await client.stop();
    await expect(start).rejects.toMatchObject({ code: "CLOSED" });
    expect(onStarted).toHaveBeenCalledWith(expect.objectContaining({ code: "CLOSED" }));
  });

  test("causes no unhandled rejection when it is not awaited", async () => {
    const onUnhandled = vi.fn();
    process.on("unhandledRejection", onUnhandled);
    const client = kit.newClient();
    void client.start();
    await client.stop();
    await settled();
    process.off("unhandledRejection", onUnhandled);
    expect(onUnhandled).not.toHaveBeenCalled();
  });

  test("is called by autostart, which calls the classic listeners", async () => {
    await new FakeBroker(kit.network).listen();
    const called: string[] = [];
    const client = kit.newClient({
      autostart: true,
      onStart: () => called.push("start"),
      onConnect: () => called.push("connect"),
      onDisconnect: () => called.push("disconnect"),
      onStop: () => called.push("stop"),
    });
    await client.start();
    await client.stop();
    expect(called).toEqual(["start", "connect", "disconnect", "stop"]);
  });

  test("uses an id with its prefix, a new one for every connection", async () => {
    const onStart = vi.fn();
    const { client, broker } = await kit.started({ prefix: "Cä", onStart });
    const disconnected = onceEvent(client, "disconnect");
    kit.network.cut(ADDRESS);
    await disconnected;
    const connected = onceEvent(client, "connect");
    kit.clock.advance(1_000);
    await connected;
    expect(onStart).toHaveBeenCalledOnce();
    expect(broker.peers).toHaveLength(2);
    expect(new Set(broker.peers).size).toBe(2);
    for (const peer of broker.peers) expect(peer).toMatch(/^C\u00c3\u00a4-[\w-]{21}$/);
  });

  test("emits an event with the id of every link that is opened", async () => {
    await new FakeBroker(kit.network).listen();
    const client = kit.newClient();
    const ids: string[] = [];
    client.on("connecting", () => ids.push(client.socketId));
    expect(client.socketId).toBe("");
    const start = client.start();
    expect(ids).toEqual([client.socketId]);
    await start;
    kit.network.cut(ADDRESS);
    await settled();
    kit.clock.advance(1_000);
    expect(ids).toEqual([expect.stringMatching(/^C/), client.socketId]);
  });

  test("reports an address that its transport cannot parse, and tries the next", async () => {
    await new FakeBroker(kit.network).listen();
    const transport: Transport = {
      router: (handlers) => kit.network.router(handlers),
      publisher: () => kit.network.publisher(),
      subscriber: (handlers) => kit.network.subscriber(handlers),
      dealer: (handlers, options) => {
        const link = kit.network.dealer(handlers, options);
        const connect = (address: string): void => {
          if (address === "odd://one") throw new Error("no such scheme");
          link.connect(address);
        };
        return { connect, send: (frames) => link.send(frames), close: () => link.close() };
      },
    };
    const client = kit.newClient({ transport }, ["odd://one", ADDRESS]);
    const failed = onceEvent(client, "error");
    const start = client.start();
    expect(await failed).toMatchObject({ message: "cannot connect to odd://one: no such scheme" });
    kit.clock.advance(1_000);
    await start;
  });
});

describe("stop()", () => {
  test("waits for open requests, rejects new ones, and sends DISCONNECT", async () => {
    const { client, broker } = await kit.started();
    const answer = client.call("echo", 1);
    await settled();
    const stop = client.stop();
    expect(await failureOf(client.call("echo", 2))).toMatchObject({ code: "CLOSED", delivery: "not-sent" });
    for (const request of broker.requests) broker.final(request, "done");
    expect(await answer).toBe("done");
    await stop;
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "disconnect"]);
  });

  test("fails the requests that are still open at its timeout", async () => {
    const { client } = await kit.started({ stopTimeoutMs: 1_000 });
    const answer = client.call("echo", 1);
    await settled();
    const stop = client.stop();
    kit.clock.advance(1_000);
    const error = await failureOf(answer);
    expect(error).toMatchObject({ code: "CLOSED", delivery: "maybe-executed" });
    await stop;
  });

  test("can be called twice, and before any start", async () => {
    const client = kit.newClient();
    const answer = client.call("echo", 1);
    await Promise.all([client.stop(), client.stop()]);
    await client.stop();
    expect(await failureOf(answer)).toMatchObject({ code: "CLOSED", delivery: "not-sent" });
  });

  test("is followed by a successful start", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    await client.stop();
    expect(await failureOf(client.call("echo", 1))).toMatchObject({ code: "CLOSED" });
    await client.start();
    expect(await client.call("echo", 2)).toBe(2);
  });

  test("is followed by a start that was requested during the stop, unless stopped again", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    void client.stop();
    await client.start();
    expect(await client.call("echo", 1)).toBe(1);
    void client.stop();
    const start = client.start();
    await client.stop();
    await expect(start).rejects.toMatchObject({ code: "CLOSED" });
    expect(await failureOf(client.call("echo", 2))).toMatchObject({ code: "CLOSED" });
  });

  test("resolves only when the link has written its queued messages", async () => {
    await new FakeBroker(kit.network).listen();
    let finishWriting: () => void = () => {};
    const lingers: (number | undefined)[] = [];
    const transport: Transport = {
      router: (handlers) => kit.network.router(handlers),
      publisher: () => kit.network.publisher(),
      subscriber: (handlers) => kit.network.subscriber(handlers),
      dealer: (handlers, options) => {
        const link = kit.network.dealer(handlers, options);
        const close = (lingerMs?: number): Promise<void> => {
          lingers.push(lingerMs);
          return new Promise((resolve) => {
            finishWriting = resolve;
          });
        };
        return { connect: (address) => link.connect(address), send: (frames) => link.send(frames), close };
      },
    };
    const client = kit.newClient({ transport });
    await client.start();
    const onStopped = vi.fn();
    const stop = client.stop().then(onStopped);
    await settled();
    expect(onStopped).not.toHaveBeenCalled();
    expect(lingers).toEqual([undefined]);
    finishWriting();
    await stop;
  });

  test("leaves no alarm set", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    await client.call("echo", 1);
    await client.stop();
    const looks = vi.spyOn(kit.clock, "now");
    kit.clock.advance(120_000);
    expect(looks).not.toHaveBeenCalled();
  });

  test("is called at the end of an await using", async () => {
    const { client } = await kit.started();
    const stopped = onceEvent(client, "stop");
    await client[Symbol.asyncDispose]();
    await stopped;
  });
});

describe("a listener that throws", () => {
  test("does not stop the client", async () => {
    const broker = await new FakeBroker(kit.network).listen();
    broker.echo();
    const client = kit.newClient({
      onConnect: () => {
        throw new Error("listener threw");
      },
    });
    const uncaught = uncaughtErrors();
    const answer = client.call("echo", 1);
    await client.start();
    expect(await answer).toBe(1);
    await settled();
    expect(uncaught.map(String)).toEqual(["Error: listener threw"]);
  });
});

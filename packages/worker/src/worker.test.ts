import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RequestError, UsageError, writeText } from "@pigato/protocol";
import { MemoryNetwork, uncaughtErrors } from "@pigato/testkit";
import { type DealerHandlers, type DealerLink, LinkError, type SendOutcome, type Transport } from "@pigato/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Reply } from "./reply.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { turn } from "./testing/recording-port.ts";
import { ADDRESS, setUp } from "./testing/set-up.ts";
import { Worker } from "./worker.ts";

/** A transport whose links have the send outcome that the test sets. */
function answering(network: MemoryNetwork, outcome: (isUrgent: boolean) => SendOutcome | undefined) {
  const links: DealerHandlers[] = [];
  const transport: Transport = {
    router: (handlers) => network.router(handlers),
    publisher: () => network.publisher(),
    subscriber: (handlers) => network.subscriber(handlers),
    dealer: (handlers, options): DealerLink => {
      links.push(handlers);
      const link = network.dealer(handlers, options);
      return {
        connect: (address) => link.connect(address),
        close: () => link.close(),
        send: (frames, sendOptions) => {
          const answer = outcome(sendOptions?.urgent ?? false) ?? "queued";
          if (answer !== "congested") link.send(frames);
          return answer;
        },
      };
    },
  };
  return { transport, links };
}

describe("starting", () => {
  test("start() resolves once the broker has answered", async () => {
    const { worker, broker, network, events } = await setUp();
    let isReady = false;
    const ready = worker.start().then(() => {
      isReady = true;
    });
    await turn();
    expect([isReady, events]).toEqual([false, ["start"]]);
    network.deliver();
    await ready;
    expect(broker.takeMessages()).toEqual(["ready echo"]);
    expect(events).toEqual(["start", "connect"]);
  });

  test("start() waits for a broker that starts later", async () => {
    const { worker, network, advance } = await setUp({}, "inproc://later");
    const ready = worker.start();
    advance(60_000);
    await FakeBroker.at("inproc://later", network);
    network.deliver();
    await ready;
    expect(worker.broker).toBe("inproc://later");
  });

  test("start() accepts a callback", async () => {
    const { worker, network } = await setUp();
    const called = new Promise<unknown>((resolve) => void worker.start(resolve));
    network.deliver();
    expect(await called).toBeUndefined();
  });

  test("a second start() has no effect", async () => {
    const { worker, broker, network } = await setUp();
    const both = [worker.start(), worker.start()];
    network.deliver();
    await Promise.all(both);
    await worker.start();
    expect(broker.takeMessages()).toEqual(["ready echo"]);
  });

  test("the id at the broker begins with the prefix, and is new with every connection", async () => {
    const { worker, broker, connect, advance } = await setUp({ prefix: "Wëb" });
    await connect();
    const first = worker.socketId;
    expect(first).toMatch(/^Wëb-./);
    expect(broker.worker).toBe(Buffer.from(first).toString("latin1"));
    broker.send({ type: "disconnect" });
    advance(1000);
    expect(worker.socketId).toMatch(/^Wëb-./);
    expect(worker.socketId).not.toBe(first);
    expect(broker.workers).toHaveLength(2);
  });

  test("the worker emits `connecting` with a new id for each link", async () => {
    const { worker, connect, network, advance } = await setUp();
    const ids: string[] = [];
    worker.on("connecting", () => ids.push(worker.socketId));
    await connect();
    expect(ids).toEqual([worker.socketId]);
    network.cut(ADDRESS);
    advance(1_000);
    expect(ids).toEqual([expect.any(String), worker.socketId]);
  });

  test("heartbeat() sends a heartbeat at once", async () => {
    const { worker, broker, connect, settle } = await setUp();
    await connect();
    const before = broker.received.length;
    worker.heartbeat();
    await settle();
    expect(broker.received.slice(before)).toEqual([{ type: "heartbeat", concurrency: 100, update: false }]);
  });

  test("the callbacks of the classic options are called", async () => {
    const called: string[] = [];
    const { connect, stop } = await setUp({
      onStart: () => called.push("start"),
      onConnect: () => called.push("connect"),
      onDisconnect: () => called.push("disconnect"),
      onStop: () => called.push("stop"),
    });
    await connect();
    await stop();
    expect(called).toEqual(["start", "connect", "disconnect", "stop"]);
  });

  test("an address that the transport cannot parse fails the start, and the worker is stopped", async () => {
    const network = new MemoryNetwork();
    const transport: Transport = {
      router: (handlers) => network.router(handlers),
      publisher: () => network.publisher(),
      subscriber: (handlers) => network.subscriber(handlers),
      dealer: (handlers, options) => {
        const link = network.dealer(handlers, options);
        link.connect = (address) => {
          throw new LinkError("ADDRESS_INVALID", "no port", { address });
        };
        return link;
      },
    };
    const { worker, errors } = await setUp({ transport }, ADDRESS, network);
    await expect(worker.start()).rejects.toMatchObject({ code: "ADDRESS_INVALID" });
    expect(errors).toMatchObject([{ code: "ADDRESS_INVALID" }]);
    await worker.stop();
  });

  test("misuse throws at construction", () => {
    expect(() => new Worker([], "echo")).toThrow(UsageError);
    expect(() => new Worker(ADDRESS, "")).toThrow(UsageError);
    expect(() => new Worker(ADDRESS, "echo", { heartbeat: 0 })).toThrow(UsageError);
  });
});

describe("handling requests", () => {
  test.each(["größe-x", ""])(
    "a handler learns that the client requested %j; without a name, the worker's own",
    async (name) => {
      const { worker, broker, connect, settle } = await setUp();
      const services: string[] = [];
      worker.on("request", (_data, reply) => {
        services.push(reply.service);
        reply.end();
      });
      await connect();
      broker.request("r1", "1", undefined, undefined, name);
      await settle();
      expect(services).toEqual([name === "" ? "echo" : name]);
    },
  );

  test("a handler gets the data and the client's options, and its chunks and end reach the client", async () => {
    const { worker, broker, connect, settle } = await setUp();
    const seen: unknown[] = [];
    worker.on("request", (data, reply, opts) => {
      seen.push(data, opts);
      reply.write("part");
      reply.end("last");
    });
    await connect();
    broker.request("r1", '{"foo":"bar"}', '{"timeout":5,"mine":[1]}');
    await settle();
    expect(seen).toEqual([{ foo: "bar" }, { timeout: 5, mine: [1] }]);
    expect(broker.takeMessages()).toEqual(['partial r1 0 "part"', 'final r1 0 "last"']);
  });

  test.each([
    ["none", undefined],
    ["an empty frame", ""],
    ["no JSON", "{oops"],
    ["null", "null"],
    ["an array", "[1]"],
  ])("options that are %s are an empty object", async (_what, options) => {
    const { worker, broker, connect } = await setUp();
    const seen: unknown[] = [];
    worker.on("request", (_data, _reply, opts) => void seen.push(opts));
    await connect();
    broker.request("r1", "1", options);
    expect(seen).toEqual([{}]);
  });

  test("the bare word undefined of old clients is read as undefined, and an empty frame as null", async () => {
    const { worker, broker, connect } = await setUp();
    const seen: unknown[] = [];
    worker.on("request", (data) => void seen.push(data));
    await connect();
    broker.request("r1", "undefined");
    broker.request("r2", "");
    expect(seen).toEqual([undefined, null]);
  });

  test("data that is not JSON fails the request, and no handler is called", async () => {
    const { worker, broker, connect, settle } = await setUp();
    worker.on("request", () => expect.unreachable());
    await connect();
    broker.request("r1", "{oops");
    await settle();
    const [answer, ...rest] = broker.takeMessages();
    expect(answer).toMatch(/^final r1 -1 .*"the data of request r1 is not JSON","code":"INVALID"/);
    expect(rest).toEqual([]);
  });

  test("requests run concurrently, and their replies are sent in any order", async () => {
    const { worker, broker, connect, settle } = await setUp();
    const replies: Reply[] = [];
    worker.on("request", (_data, reply) => void replies.push(reply));
    await connect();
    broker.request("r1", "1");
    broker.request("r2", "2");
    replies[1]?.end("second");
    replies[0]?.end("first");
    await settle();
    expect(broker.takeMessages()).toEqual(['final r2 0 "second"', 'final r1 0 "first"']);
  });

  test("a worker without a handler rejects requests", async () => {
    const { broker, connect, settle } = await setUp();
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(["reject r1"]);
  });

  test("every handler is called, and those added with once() for one request only", async () => {
    const { worker, broker, connect } = await setUp();
    const calls: string[] = [];
    worker.on("request", (data) => void calls.push(`on ${data}`));
    worker.once("request", (data) => calls.push(`once ${data}`));
    await connect();
    broker.request("r1", "1");
    broker.request("r2", "2");
    expect(calls).toEqual(["on 1", "once 1", "on 2"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new TypeError("boom");
      },
    ],
    ["rejects", () => Promise.reject(new TypeError("boom"))],
  ])("a handler that %s fails its request, and nothing else", async (_how, fail) => {
    const { worker, broker, errors, connect, settle } = await setUp();
    worker.on("request", fail);
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(['final r1 -1 {"name":"TypeError","message":"boom"}']);
    expect(errors).toEqual([]);
  });

  test("a handler that fails after the end emits an error event of the worker", async () => {
    const { worker, broker, errors, connect, settle } = await setUp();
    worker.on("request", async (_data, reply) => {
      reply.end("done");
      throw new Error("too late");
    });
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(['final r1 0 "done"']);
    expect(errors).toMatchObject([{ message: "too late" }]);
  });

  test("a handler may stream with pipeline", async () => {
    const { worker, broker, connect, settle } = await setUp();
    worker.on("request", (_data, reply) => pipeline(Readable.from(["a", "b"]), reply));
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(['partial r1 0 "a"', 'partial r1 0 "b"', "final r1 0 null"]);
  });

  test("reply.heartbeat() sends a heartbeat of the worker", async () => {
    const { worker, broker, connect, settle } = await setUp({ concurrency: 5 });
    worker.on("request", (_data, reply) => reply.heartbeat());
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.received).toEqual([{ type: "heartbeat", concurrency: 5, update: false }]);
  });

  test("a write after the end of a reply is an error event of the worker", async () => {
    const { worker, broker, errors, connect, settle } = await setUp();
    worker.on("request", (_data, reply) => {
      reply.end("last");
      reply.write("more");
    });
    await connect();
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(['final r1 0 "last"']);
    expect(errors).toMatchObject([{ code: "ERR_STREAM_WRITE_AFTER_END" }]);
  });
});

describe("abandoned requests", () => {
  test("a cancel aborts the signal, and the handler's failure because of it is not reported", async () => {
    const { worker, broker, errors, connect, settle } = await setUp();
    let reply: Reply | undefined;
    worker.on("request", async (_data, given) => {
      reply = given;
      await once(given.signal, "abort");
      given.write("late");
      throw given.signal.reason;
    });
    await connect();
    broker.request("r1", "1");
    expect(reply?.active()).toBe(true);
    broker.cancel("r1");
    expect(reply?.active()).toBe(false);
    await settle();
    expect(reply?.signal.reason).toMatchObject({ code: "CANCELED", service: "echo", requestId: "r1" });
    expect(broker.takeMessages()).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("a lost connection aborts every request", async () => {
    const { worker, network, broker, connect, settle, advance } = await setUp();
    const replies: Reply[] = [];
    worker.on("request", (_data, reply) => void replies.push(reply));
    await connect();
    broker.request("r1", "1");
    broker.request("r2", "2");
    network.cut(ADDRESS);
    expect(replies.map((reply) => reply.active())).toEqual([false, false]);
    expect(replies[0]?.signal.reason).toMatchObject({ code: "BROKER_LOST" });
    advance(1000);
    replies[0]?.end("late");
    await settle();
    expect(broker.takeMessages()).toEqual(["ready echo"]);
  });

  test("a link of an earlier connection is ignored", async () => {
    const network = new MemoryNetwork();
    const { transport, links } = answering(network, () => undefined);
    const { worker, connect, advance, events } = await setUp({ transport }, ADDRESS, network);
    worker.on("request", () => expect.unreachable());
    await connect();
    links[0]?.onDown?.();
    advance(1000);
    expect(events).toEqual(["start", "connect", "disconnect", "connect"]);
    links[0]?.onMessage([writeText("W"), writeText("5")]);
    links[0]?.onDown?.();
    links[0]?.onUndelivered?.([]);
    links[0]?.onDrain?.();
    links[0]?.onError?.(new LinkError("FAILED", "late"));
    expect(events).toEqual(["start", "connect", "disconnect", "connect"]);
  });
});

describe("the broker", () => {
  test("the broker gets a new concurrency at once, and with every heartbeat", async () => {
    const { worker, broker, connect, settle, advance } = await setUp();
    await connect();
    worker.conf.concurrency = 2;
    await settle();
    expect(broker.received.splice(0)).toEqual([{ type: "heartbeat", concurrency: 2, update: false }]);
    worker.conf.concurrency = -1;
    advance(2500);
    expect(broker.received).toEqual([
      { type: "heartbeat", concurrency: Number.POSITIVE_INFINITY, update: false },
      { type: "heartbeat", concurrency: Number.POSITIVE_INFINITY, update: false },
    ]);
  });

  test("that falls silent is disconnected, and the worker reconnects", async () => {
    const { worker, broker, events, connect, advance } = await setUp();
    await connect();
    broker.isAnswering = false;
    advance(7499);
    expect(events).toEqual(["start", "connect"]);
    advance(1);
    expect(events).toEqual(["start", "connect", "disconnect"]);
    broker.isAnswering = true;
    advance(1000);
    expect(events).toEqual(["start", "connect", "disconnect", "connect"]);
    expect(broker.takeMessages()).toEqual(["disconnect", "ready echo"]);
    expect(worker.broker).toBe(ADDRESS);
  });

  test("that is lost is replaced by the broker at the next address", async () => {
    const { worker, network, broker, connect, advance } = await setUp({}, [ADDRESS, "inproc://second"]);
    const second = await FakeBroker.at("inproc://second", network);
    await connect();
    await broker.close();
    advance(1000);
    expect(second.takeMessages()).toEqual(["ready echo"]);
    expect(worker.broker).toBe("inproc://second");
  });

  test("that breaks the protocol causes an error event, and the worker continues", async () => {
    const { worker, broker, errors, connect, settle } = await setUp();
    worker.on("request", (data, reply) => reply.end(data));
    await connect();
    broker.sendFrames([writeText("W"), writeText("2")]);
    broker.sendFrames([]);
    broker.sendFrames([writeText("W"), writeText("99")]);
    expect(errors.map((error) => error.message.split(":")[0])).toEqual(["P-DSP-1", "P-MSG-1", "P-TYPE-1"]);
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(["final r1 0 1"]);
  });

  test("may break the protocol even without an 'error' listener", async () => {
    const { worker, broker, connect, settle } = await setUp();
    worker.removeAllListeners("error");
    worker.on("request", (data, reply) => reply.end(data));
    await connect();
    broker.sendFrames([writeText("W"), writeText("99")]);
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(["final r1 0 1"]);
  });
});

describe("a link under pressure", () => {
  test("a slow link pauses the handler until it has drained", async () => {
    const network = new MemoryNetwork();
    let outcome: SendOutcome = "queued";
    const { transport, links } = answering(network, () => outcome);
    const { worker, broker, connect } = await setUp({ transport }, ADDRESS, network);
    const log: unknown[] = [];
    worker.on("request", (_data, reply) => {
      log.push(reply.write(1));
      reply.on("drain", () => log.push("drain"));
    });
    await connect();
    outcome = "slow";
    broker.request("r1", "1");
    outcome = "queued";
    expect(log).toEqual([false]);
    links[0]?.onDrain?.();
    links[0]?.onDrain?.();
    expect(log).toEqual([false, "drain"]);
  });

  test("a chunk that cannot be sent fails the request with an urgent error", async () => {
    const network = new MemoryNetwork();
    let isFull = false;
    const { transport } = answering(network, (isUrgent) => (isFull && !isUrgent ? "congested" : undefined));
    const { worker, broker, connect } = await setUp({ transport }, ADDRESS, network);
    const log: unknown[] = [];
    worker.on("request", (_data, reply) => {
      log.push(reply.write(1), reply.active(), reply.write(2));
      reply.end("not reached");
    });
    await connect();
    broker.takeMessages();
    isFull = true;
    broker.request("r1", "1");
    network.deliver();
    expect(log).toEqual([false, false, false]);
    expect(broker.takeMessages()).toHaveLength(1);
  });

  test("a link that does not accept an urgent final is replaced", async () => {
    const network = new MemoryNetwork();
    let isFull = false;
    const { transport } = answering(network, () => (isFull ? "congested" : undefined));
    const { worker, broker, errors, events, connect, advance } = await setUp({ transport }, ADDRESS, network);
    worker.on("request", (_data, reply) => {
      reply.end("never");
      events.push("handler done");
    });
    await connect();
    isFull = true;
    broker.request("r1", "1");
    expect(errors).toMatchObject([{ message: expect.stringContaining("cannot send the final reply to request r1") }]);
    expect(events).toEqual(["start", "connect", "handler done", "disconnect"]);
    isFull = false;
    advance(1000);
    expect(events.at(-1)).toBe("connect");
  });

  test("a link that fails is replaced", async () => {
    const network = new MemoryNetwork();
    const { transport, links } = answering(network, () => undefined);
    const { errors, events, connect, advance } = await setUp({ transport }, ADDRESS, network);
    await connect();
    links[0]?.onError?.(new LinkError("FAILED", "broken"));
    expect(errors).toMatchObject([{ code: "FAILED" }]);
    advance(1000);
    expect(events.at(-1)).toBe("connect");
    links[1]?.onUndelivered?.([]);
    expect(events.at(-1)).toBe("disconnect");
  });
});

describe("stopping", () => {
  test("an idle worker sends DISCONNECT and closes", async () => {
    const { broker, events, connect, stop } = await setUp();
    await connect();
    await stop();
    expect(broker.received).toEqual([{ type: "heartbeat", concurrency: 0, update: false }, { type: "disconnect" }]);
    expect(events).toEqual(["start", "connect", "disconnect", "stop"]);
  });

  test("running requests finish first, and new ones are rejected", async () => {
    const { worker, broker, connect, settle, network } = await setUp();
    const replies: Reply[] = [];
    worker.on("request", (_data, reply) => void replies.push(reply));
    await connect();
    broker.request("r1", "1");
    const stopped = worker.stop();
    broker.request("r2", "2");
    await settle();
    expect(broker.takeMessages()).toEqual(["reject r2"]);
    replies[0]?.end("done");
    network.deliver();
    await stopped;
    expect(broker.takeMessages()).toEqual(['final r1 0 "done"', "disconnect"]);
  });

  test("requests that do not finish in time are aborted", async () => {
    const { worker, broker, connect, advance } = await setUp({ stopTimeoutMs: 2000 });
    let reply: Reply | undefined;
    worker.on("request", (_data, given) => {
      reply = given;
    });
    await connect();
    broker.request("r1", "1");
    const stopped = worker.stop();
    advance(1999);
    expect(reply?.active()).toBe(true);
    advance(1);
    await stopped;
    expect(reply?.active()).toBe(false);
    expect(reply?.signal.reason).toMatchObject({ code: "CLOSED" });
    expect(broker.takeMessages()).toEqual(["disconnect"]);
  });

  test("stop() may be called twice, before the start and by `await using`", async () => {
    const { worker, events, network, connect } = await setUp();
    await worker.stop();
    await connect();
    const both = [worker.stop(), worker[Symbol.asyncDispose]()];
    network.deliver();
    await Promise.all(both);
    expect(events.filter((event) => event === "stop")).toHaveLength(1);
  });

  test("a start that is followed by a stop rejects, and need not be awaited", async () => {
    const { worker, network } = await setUp({}, "inproc://missing");
    const called = new Promise((resolve) => void worker.start(resolve));
    const ready = worker.start();
    void worker.start();
    await worker.stop();
    await expect(ready).rejects.toBeInstanceOf(RequestError);
    await expect(ready).rejects.toMatchObject({ code: "CLOSED", delivery: "not-sent" });
    expect(await called).toMatchObject({ code: "CLOSED" });
    network.deliver();
  });

  test("a stopped worker starts again under a new id", async () => {
    const { worker, broker, connect, stop } = await setUp();
    await connect();
    await stop();
    await connect();
    expect(new Set(broker.workers).size).toBe(2);
    expect(worker.socketId).toBe(broker.worker);
  });

  test("a start while stopping waits for the stop, and a further stop cancels it", async () => {
    const { worker, broker, events, network, connect } = await setUp();
    await connect();
    const stopped = worker.stop();
    const restarted = worker.start();
    network.deliver();
    await stopped;
    await turn();
    network.deliver();
    await restarted;
    expect(events).toEqual(["start", "connect", "disconnect", "stop", "start", "connect"]);
    expect(broker.workers).toHaveLength(2);

    const stoppedAgain = worker.stop();
    const calledOff = worker.start();
    void worker.stop();
    await expect(calledOff).rejects.toMatchObject({ code: "CLOSED" });
    network.deliver();
    await stoppedAgain;
    network.deliver();
    expect(broker.workers).toHaveLength(2);
  });

  test("no alarm is left behind", async () => {
    const { clock, broker, connect, stop } = await setUp();
    await connect();
    await stop();
    broker.received.length = 0;
    clock.advance(60_000);
    expect(broker.received).toEqual([]);
  });
});

describe("listeners", () => {
  test("a listener that throws causes an uncaught exception, and the worker continues", async () => {
    const { worker, broker, connect, settle } = await setUp();
    worker.on("request", (data, reply) => reply.end(data));
    worker.on("connect", () => {
      throw new Error("a listener's fault");
    });
    onTestFinished(() => process.setUncaughtExceptionCaptureCallback(null));
    const uncaught = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
    await connect();
    expect(await uncaught).toMatchObject({ message: "a listener's fault" });
    broker.request("r1", "1");
    await settle();
    expect(broker.takeMessages()).toEqual(["final r1 0 1"]);
  });
});

test.each(["debug", "info", "warn", "error"] as const)(
  "a worker whose logger throws at the level %s connects and fails a request whose handler throws",
  async (level) => {
    const uncaught = uncaughtErrors();
    const { logger } = new Worker(ADDRESS, "other").conf;
    logger[level] = () => {
      throw new Error("logger threw");
    };
    const { worker, connect, broker, settle } = await setUp({ logger });
    worker.on("request", (_data, reply) => {
      reply.end("once");
      throw new Error("handler threw");
    });
    const reported = new Promise((resolve) => worker.once("error", resolve));
    await connect();
    broker.request("r1", '"data"');
    await settle();
    expect(await reported).toEqual(new Error("handler threw"));
    await turn();
    expect(new Set(uncaught.map(String))).toEqual(new Set(level === "warn" ? [] : ["Error: logger threw"]));
  },
);

describe("a broker that refuses the registration", () => {
  const full = { code: "BUSY", message: "100 workers are registered" } as const;
  const refusal = `cannot register a worker for "echo" at ${ADDRESS}: ${full.message}`;

  test("fails the start with its reason", async () => {
    const { worker, broker, settle } = await setUp();
    broker.isAnswering = false;
    const started = worker.start();
    await settle();
    broker.send({ type: "disconnect", reason: full });
    await expect(started).rejects.toMatchObject({ name: "LinkError", code: "REFUSED", message: refusal });
  });

  test("is tried again when it stops, because another one may follow", async () => {
    const { worker, broker, settle, errors } = await setUp();
    broker.isAnswering = false;
    const started = worker.start();
    await settle();
    broker.send({ type: "disconnect", reason: { code: "CLOSED", message: "the broker stops" } });
    await settle();
    expect(errors.map(({ message }) => message)).toEqual([
      `cannot register a worker for "echo" at ${ADDRESS}: the broker stops`,
    ]);
    const stopped = worker.stop();
    await expect(started).rejects.toMatchObject({ code: "CLOSED" });
    await stopped;
  });
});

// Our client and worker with an independent Majordomo broker, over tcp.

import { Client, type ClientOptions } from "@pigato/client";
import { type Reply, UsageError, Worker, type WorkerOptions } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { ForeignBroker, type Version } from "./foreign-broker.ts";

const VERSIONS: readonly Version[] = ["mdp01", "mdp02"];
/** Tolerates a test machine that pauses, and reconnects quickly. */
const CALM = { heartbeat: 50, heartbeatLiveness: 60, reconnect: 10, reconnectMaxMs: 20 };

async function startPeers(version: Version) {
  const broker = await ForeignBroker.start(version);
  onTestFinished(() => broker.stop());
  return {
    broker,
    async worker(service: string, handle: (data: unknown, reply: Reply) => unknown, options: WorkerOptions = {}) {
      const worker = new Worker(broker.address, service, { dialect: version, ...CALM, ...options });
      const errors: Error[] = [];
      worker.on("error", (error) => errors.push(error));
      worker.on("request", handle);
      onTestFinished(() => worker.stop());
      await worker.start();
      await broker.until(() => broker.workers.includes(worker.socketId));
      return { worker, errors };
    },
    async client(options: ClientOptions = {}) {
      const client = new Client(broker.address, {
        dialect: version,
        reconnect: 10,
        reconnectMaxMs: 20,
        stopTimeoutMs: 0,
        ...options,
      });
      const errors: Error[] = [];
      client.on("error", (error) => errors.push(error));
      onTestFinished(() => client.stop());
      await client.start();
      return { client, errors };
    },
  };
}

const echo = (data: unknown, reply: Reply): Reply => reply.end(data);

describe.each(VERSIONS)("%s: with an independent broker", (version) => {
  test("a client reaches a worker, and data travels as JSON", async () => {
    const { worker, client } = await startPeers(version);
    await worker("echo", echo);
    const { client: caller } = await client();
    for (const data of [{ a: [1, "ö"] }, 0, "", null, "200"]) expect(await caller.call("echo", data)).toEqual(data);
    expect(await caller.call("echo")).toBeNull();
  });

  test("D-PEER-1: a client's requests take turns, a hundred of them", async () => {
    const { broker, worker, client } = await startPeers(version);
    await worker("echo", echo);
    await worker("echo", echo);
    const { client: caller } = await client();
    const answers = Array.from({ length: 100 }, (_, index) => caller.call("echo", index));
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(broker.mostOpen).toBe(1);
  });

  test("D-PEER-3: what the wire cannot carry is a UsageError and is not sent", async () => {
    const { broker, client } = await startPeers(version);
    const { client: caller } = await client();
    const rejected = {
      code: "USAGE",
      message: expect.stringContaining(`cannot be used with the dialect "${version}"`),
    };
    for (const option of [
      { retry: 1 },
      { workerId: "w" },
      { persist: true },
      { failFast: true },
      { color: "red" },
    ] as const)
      await expect(caller.call("echo", 1, option)).rejects.toMatchObject(rejected);
    for (const misuse of [() => caller.heartbeat(), () => caller.broadcast("echo")])
      expect(misuse).toThrow(expect.objectContaining(rejected));
    expect(() => new Client(broker.address, { dialect: version, heartbeat: 100 })).toThrow(UsageError);
    expect(() => new Worker(broker.address, "echo", { dialect: version, concurrency: 2 })).toThrow(UsageError);
    // This request is made after all of them, and is the first to arrive.
    expect(await caller.call("mmi.service", Buffer.from("echo"), { retry: 0, nocache: false })).toBe(404);
    expect(broker.seen("REQUEST")).toEqual([caller.socketId]);
  });

  test("D-PEER-5: a reply without a request, or of another service, is reported and dropped", async () => {
    const { broker, worker, client } = await startPeers(version);
    let finish = (): void => {};
    await worker("echo", (data, reply) => {
      finish = () => reply.end(data);
      broker.say(caller.socketId, ...final("other"), '"forged"');
    });
    const { client: caller, errors } = await client();
    const final = (service: string) =>
      version === "mdp01" ? ["", "MDPC01", service] : ["MDPC02", Buffer.of(3), service];
    const reported = (count: number) =>
      new Promise<void>((resolve) => caller.on("error", () => errors.length === count && resolve()));
    // A ROUTER knows only peers that have sent a message.
    expect(await caller.call("mmi.service", Buffer.from("echo"))).toBe(200);
    const first = reported(1);
    broker.say(caller.socketId, ...final("echo"), '"early"');
    await first;
    const second = reported(2);
    const call = caller.call("echo", "mine");
    await second;
    finish();
    expect(await call).toBe("mine");
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining("no request is open"),
      expect.stringContaining("it is from another service"),
    ]);
  });

  test("D-PEER-4: bytes arrive unchanged, and a body that is not JSON arrives as text", async () => {
    const { worker, client } = await startPeers(version);
    await worker("frames", (data, reply) => reply.end([Buffer.from("200"), Buffer.from(JSON.stringify(data))]));
    const { client: caller } = await client();
    expect(await caller.call("frames", Buffer.from("plain"))).toEqual([200, "plain"]);
  });

  test("D-PEER-4: a worker receives several frames as an array of bytes, and sends such an array as frames", async () => {
    const { worker, client } = await startPeers(version);
    const received: unknown[] = [];
    await worker("frames", (data, reply) => {
      received.push(data);
      reply.end(data);
    });
    const { client: caller } = await client();
    const frames = ["200", "", "\xff"].map((text) => Uint8Array.from(Buffer.from(text, "latin1")));
    expect(await caller.call("frames", frames)).toEqual([200, "", Uint8Array.of(255)]);
    expect(received).toEqual([frames]);
  });

  test("D-PEER-4: the management services answer a bare name", async () => {
    const { worker, client } = await startPeers(version);
    await worker("echo", echo);
    const { client: caller } = await client();
    expect(await caller.call("mmi.service", "echo")).toBe(200);
    expect(await caller.call("mmi.service", Buffer.from("echo"))).toBe(200);
    expect(await caller.call("mmi.service", "nothing")).toBe(404);
    expect(await caller.call("mmi.other", "x")).toBe(501);
    expect(await caller.call("echo", "mmi.service")).toBe("mmi.service");
  });

  test("D-PEER-7: a handler that fails ends the request with an error as the body", async () => {
    const { worker, client } = await startPeers(version);
    await worker("fails", (data, reply) => {
      if (data === "throw") throw new TypeError("no");
      if (data === "error") reply.error("because");
      if (data === "reject") reply.reject();
      if (data === "opts") {
        reply.opts.cache = 1000;
        reply.end("kept");
      }
    });
    const { client: caller } = await client();
    expect(await caller.call("fails", "throw")).toEqual({ error: { name: "TypeError", message: "no" } });
    expect(await caller.call("fails", "error")).toEqual({ error: "because" });
    const misuse = (message: string) => ({
      error: { name: "UsageError", message: expect.stringContaining(message), code: "USAGE" },
    });
    expect(await caller.call("fails", "reject")).toEqual(
      misuse(`reply.reject() cannot be used with the dialect "${version}"`),
    );
    expect(await caller.call("fails", "opts")).toEqual(misuse("reply.opts.cache cannot be used"));
  });

  test("D-PEER-7: a worker without a handler ends the request in the same way", async () => {
    const { worker, client } = await startPeers(version);
    const { worker: idle } = await worker("echo", echo);
    idle.removeAllListeners("request");
    const { client: caller } = await client();
    expect(await caller.call("echo")).toEqual({ error: { name: "Error", message: "the worker has no handler" } });
  });

  test("D-PEER-2: a request without a reply ends by its timeout, and its late reply is dropped", async () => {
    const { broker, worker, client } = await startPeers(version);
    let answerLate = (): void => {};
    await worker("slow", (data, reply) => {
      if (data !== "first") return reply.end(data);
      answerLate = () => reply.end("late");
      return undefined;
    });
    const { client: caller, errors } = await client();
    const before = caller.socketId;
    await expect(caller.call("slow", "first", { timeout: 100 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      delivery: "maybe-executed",
    });
    answerLate();
    expect(await caller.call("slow", "second")).toBe("second");
    expect(caller.socketId).not.toBe(before);
    expect(broker.seen("REQUEST")).toEqual([before, caller.socketId]);
    expect(errors).toEqual([]);
  });

  test("D-PEER-2: a request that its caller cancels ends, and its late reply is dropped", async () => {
    const { broker, client } = await startPeers(version);
    const { client: caller } = await client();
    const before = caller.socketId;
    const giveUp = new AbortController();
    const call = caller.call("nothing", 1, { signal: giveUp.signal });
    await broker.until(() => broker.seen("REQUEST").length > 0);
    giveUp.abort();
    await expect(call).rejects.toMatchObject({ code: "CANCELED" });
    expect(caller.socketId).not.toBe(before);
  });

  test("D-PEER-6: worker and broker receive each other's heartbeats, and neither loses the other", async () => {
    const { broker, worker } = await startPeers(version);
    const { worker: beating } = await worker("echo", echo);
    const losses: string[] = [];
    beating.on("disconnect", (reason) => losses.push(reason));
    await broker.until(() => broker.seen("HEARTBEAT").length >= 5);
    expect(losses).toEqual([]);
    expect(broker.workers).toEqual([beating.socketId]);
  });

  test("D-PEER-6: a busy worker does not lose a silent broker", async () => {
    const { broker, worker, client } = await startPeers(version);
    let finish = (): void => {};
    const { worker: busy } = await worker("long", (_data, reply) => (finish = () => reply.end("done")), {
      heartbeat: 10,
      heartbeatLiveness: 3,
    });
    const before = busy.socketId;
    const { client: caller } = await client();
    const call = caller.call("long");
    await broker.until(() => broker.seen("REQUEST").length === 1);
    const { length } = broker.seen("HEARTBEAT");
    await broker.until(() => broker.seen("HEARTBEAT").length > length + 10);
    finish();
    expect(await call).toBe("done");
    expect(broker.seen("READY").at(-1)).toBe(before);
  });

  test("D-PEER-6: a worker reconnects under a new id, with READY, when its broker fell silent", async () => {
    const { broker, worker } = await startPeers(version);
    const { worker: lonely } = await worker("echo", echo, { heartbeat: 20, heartbeatLiveness: 3 });
    const before = lonely.socketId;
    const lost = new Promise((resolve) => lonely.once("disconnect", resolve));
    broker.isMute = true;
    expect(await lost).toBe("silence");
    broker.isMute = false;
    await broker.until(() => broker.workers.some((id) => id !== before));
  });

  test("D-PEER-6: a worker that receives DISCONNECT registers again under a new id, with READY", async () => {
    const { broker, worker, client } = await startPeers(version);
    const { worker: sentAway } = await worker("echo", echo);
    const before = sentAway.socketId;
    broker.disconnectWorkers();
    await broker.until(() => broker.workers.length === 1);
    expect(broker.workers).not.toEqual([before]);
    const { client: caller } = await client();
    expect(await caller.call("echo", 1)).toBe(1);
    expect(broker.seen("DISCONNECT")).toEqual([]);
  });

  test("client and worker reconnect to a broker that restarts", async () => {
    const { broker, worker, client } = await startPeers(version);
    const { worker: server } = await worker("echo", echo);
    const { client: caller } = await client();
    expect(await caller.call("echo", 1)).toBe(1);
    const open = caller.call("nothing").catch((error: unknown) => error);
    await broker.until(() => broker.seen("REQUEST").length === 2);
    const { address } = broker;
    await broker.stop();
    expect(await open).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
    const next = await ForeignBroker.start(version, address);
    onTestFinished(() => next.stop());
    await next.until(() => next.workers.includes(server.socketId));
    expect(await caller.call("echo", 2)).toBe(2);
  });

  test("a worker that stops sends DISCONNECT", async () => {
    const { broker, worker } = await startPeers(version);
    const { worker: leaving } = await worker("echo", echo);
    const { socketId } = leaving;
    await leaving.stop();
    await broker.until(() => broker.seen("DISCONNECT").includes(socketId));
    expect(broker.workers).toEqual([]);
  });

  test("the client and the worker drop and report any invalid message, and continue", async () => {
    const { broker, worker, client } = await startPeers(version);
    const { worker: server, errors: serverErrors } = await worker("echo", echo);
    const { client: caller, errors: callerErrors } = await client();
    const headers = ["MDPC01", "MDPC02", "MDPW01", "MDPW02", "C", "W", "", "\u00ff"];
    const bodies = [[], [""], ["echo"], ["c1"], ["c1", ""], ["c1", "x", "y"], ["", "", "x"], Array(70).fill("x")];
    let sent = 0;
    for (const peer of [server.socketId, caller.socketId]) {
      for (const header of headers) {
        for (const command of [[], [0], [1], [2], [3], [4], [7], [2, 2]].map((bytes) => Buffer.from(bytes))) {
          for (const body of bodies) {
            if (isGoodMessage(version, header, command, body)) continue;
            broker.say(peer, ...(version === "mdp01" ? [""] : []), header, command, ...body);
            broker.say(peer, header, command, ...body);
            sent += 2;
          }
        }
      }
    }
    expect(await caller.call("echo", "still there")).toBe("still there");
    expect(sent).toBeGreaterThan(1000);
    expect(serverErrors.length).toBeGreaterThan(200);
    expect(callerErrors.length).toBeGreaterThan(200);
    expect(broker.seen("READY")).toEqual([server.socketId]);
  });
});

/** A valid message of a broker, which the peers would obey. */
function isGoodMessage(version: Version, header: string, command: Buffer, body: readonly string[]): boolean {
  if (header !== (version === "mdp01" ? "MDPW01" : "MDPW02") || command.length !== 1) return false;
  const [code] = command;
  return code === 2 ? body.length > 2 && body[1] === "" : body.length === 0;
}

test("mdp02: partials arrive in order", async () => {
  const { worker, client } = await startPeers("mdp02");
  await worker("count", (_data, reply) => {
    for (const part of [1, "two", [3]]) reply.write(part);
    reply.write(Buffer.from("raw"));
    reply.end({ last: true });
  });
  const { client: caller } = await client();
  expect(await caller.collect("count")).toEqual([1, "two", [3], "raw", { last: true }]);
  const streamed: unknown[] = [];
  for await (const chunk of caller.request("count")) streamed.push(chunk);
  expect(streamed).toHaveLength(5);
});

test("mdp01: reply.write() is a UsageError, because its replies have no partials", async () => {
  const { worker, client } = await startPeers("mdp01");
  const thrown: unknown[] = [];
  await worker("parts", (_data, reply) => {
    try {
      reply.write(1);
    } catch (error) {
      thrown.push(error);
    }
    reply.end("whole");
  });
  const { client: caller } = await client();
  expect(await caller.collect("parts")).toEqual(["whole"]);
  expect(thrown).toEqual([expect.any(UsageError)]);
});

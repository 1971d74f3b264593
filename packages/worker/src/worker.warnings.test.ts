// What a worker warns of: with a process warning, or in its log.

import { ProcessWarnings } from "@pigato/testkit";
import { describe, expect, test, vi } from "vitest";
import { setUp } from "./testing/set-up.ts";
import { Worker } from "./worker.ts";

const NO_HANDLER =
  'PIGATO_NO_HANDLER: worker "echo" has no request handler: call worker.on("request", …) before start()';

describe("a worker without a logger", () => {
  test("warns after three seconds without a connection", async () => {
    const warnings = new ProcessWarnings();
    const { worker, advance } = await setUp({}, "inproc://missing");
    void worker.start();
    advance(3_000);
    expect(await warnings.take()).toEqual([
      'PIGATO_NOT_CONNECTED: worker "echo" is not connected after 3 s: no broker reached at inproc://missing: it did not answer',
    ]);
  });

  test("warns when it has no handler", async () => {
    const warnings = new ProcessWarnings();
    const { broker, connect, settle } = await setUp();
    await connect();
    await settle();
    expect(await warnings.take()).toEqual([NO_HANDLER]);
    broker.request("r1", "1");
    expect(await warnings.take()).toEqual([]);
  });

  test("does not warn when its handler is added after its start", async () => {
    const warnings = new ProcessWarnings();
    const { worker, connect, settle } = await setUp();
    await connect();
    worker.on("request", () => 1);
    await settle();
    expect(await warnings.take()).toEqual([]);
  });

  test("warns when a handler throws or rejects, with the error", async () => {
    for (const handler of [
      () => {
        throw new TypeError("boom");
      },
      () => Promise.reject(new TypeError("boom")),
    ]) {
      const warnings = new ProcessWarnings();
      const { worker, broker, connect, settle } = await setUp();
      worker.on("request", handler);
      await connect();
      broker.request("r1", "1");
      await settle();
      expect(await warnings.take()).toEqual(['PIGATO_HANDLER_FAILED: a handler of worker "echo" failed: boom']);
    }
  });

  test("warns when a reply is written after its end, unless a listener gets the error", async () => {
    const warnings = new ProcessWarnings();
    const { worker, broker, connect, settle } = await setUp();
    worker.removeAllListeners("error");
    worker.on("request", (data, reply) => {
      reply.end();
      if (data === 2) reply.on("error", () => {});
      reply.write("late");
    });
    await connect();
    broker.request("r2", "2");
    await settle();
    expect(await warnings.take()).toEqual([]);
    broker.request("r1", "1");
    await settle();
    expect(await warnings.take()).toEqual([
      'PIGATO_WRITE_AFTER_END: reply.write() after the end of request r1 to "echo"',
    ]);
  });

  test("warns when a handler fails after the end of its reply, unless a listener gets the error", async () => {
    const warnings = new ProcessWarnings();
    const { worker, broker, connect, settle } = await setUp();
    worker.removeAllListeners("error");
    worker.on("request", (_data, reply) => {
      reply.end(1);
      throw new TypeError("boom");
    });
    await connect();
    broker.request("r1", "1");
    await settle();
    const text = 'PIGATO_HANDLER_FAILED: a handler of worker "echo" failed after the end of its reply: boom';
    expect(await warnings.take()).toEqual([text]);
    worker.on("error", () => {});
    broker.request("r2", "1");
    await settle();
    expect(await warnings.take()).toEqual([]);
  });

  test("warns when it has several handlers, before and at a request", async () => {
    const text = (count: number): string =>
      `PIGATO_SEVERAL_HANDLERS: worker "echo" has ${count} request handlers: each gets every request, and the first reply counts`;
    const warnings = new ProcessWarnings();
    const { worker, broker, clock, connect, settle } = await setUp({ heartbeat: 60_000 });
    worker.on("request", () => 1).on("request", () => 2);
    await connect();
    expect(await warnings.take()).toEqual([text(2)]);
    clock.advance(60_000);
    worker.on("request", () => 3);
    for (const id of ["r1", "r2"]) broker.request(id, "1");
    await settle();
    expect(await warnings.take()).toEqual([text(3)]);
  });
});

describe("a worker with a logger", () => {
  /** The codes of the warnings in the log after two requests. */
  async function codesOf(prepare: (worker: Worker) => void): Promise<unknown[]> {
    const { logger } = new Worker("inproc://x", "x").conf;
    const { worker, broker, connect, settle } = await setUp({ logger });
    const warn = vi.spyOn(logger, "warn");
    prepare(worker);
    await connect();
    for (const id of ["r1", "r2"]) broker.request(id, "1");
    await settle();
    await settle();
    return warn.mock.calls.map(([fields]) => Reflect.get(Object(fields), "code"));
  }

  test("has one line for several handlers", async () => {
    const codes = await codesOf((worker) => worker.on("request", () => 1).on("request", () => 2));
    expect(codes).toEqual(["PIGATO_SEVERAL_HANDLERS"]);
  });

  test("has a line for each write after the end, unless a listener gets the error", async () => {
    const writeLate = (worker: Worker): Worker => worker.on("request", (_data, reply) => void reply.end(1).end(2));
    expect(await codesOf((worker) => writeLate(worker.removeAllListeners("error")))).toEqual([
      "PIGATO_WRITE_AFTER_END",
      "PIGATO_WRITE_AFTER_END",
    ]);
    expect(await codesOf(writeLate)).toEqual([]);
  });
});

test("a worker logs a disconnect at the level warn, and its own at info", async () => {
  const { logger } = new Worker("inproc://x", "x").conf;
  const { worker, broker, advance, connect, settle, stop } = await setUp({ logger });
  worker.on("request", () => 1);
  const [warn, info] = [vi.spyOn(logger, "warn"), vi.spyOn(logger, "info")];
  const textsOf = (spy: typeof warn): unknown[] => spy.mock.calls.splice(0).map(([, text]) => text);
  await connect();
  broker.send({ type: "disconnect" });
  await settle();
  expect([textsOf(warn), textsOf(info)]).toEqual([["disconnected"], ["connected"]]);
  advance(2_000);
  await settle();
  await stop();
  expect([textsOf(warn), textsOf(info)]).toEqual([[], ["connected", "disconnected"]]);
});

test("a worker with logger: false warns of nothing", async () => {
  const warnings = new ProcessWarnings();
  const { broker, connect, settle, worker } = await setUp({ logger: false });
  await connect();
  worker.on("request", () => Promise.reject(new Error("boom"))).on("request", () => 1);
  broker.request("r1", "1");
  await settle();
  expect(await warnings.take()).toEqual([]);
});

import { once } from "node:events";
import { runInNewContext } from "node:vm";
import { RequestError, UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { Reply } from "./reply.ts";
import { RecordingPort, turn } from "./testing/recording-port.ts";

const CANCELED = { code: "CANCELED", message: "the caller gave up", delivery: "maybe-executed" } as const;

describe("what a reply sends", () => {
  test("contains chunks and the end, each as JSON", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    expect(reply.write({ part: 1 })).toBe(true);
    reply.write("two");
    reply.end([3]);
    expect(port.sent).toEqual(['partial {"part":1} {}', 'partial "two" {}', "final [3] {}"]);
  });

  test("contains null for an end without data", () => {
    const port = new RecordingPort();
    port.reply().end();
    port.reply().end(null);
    port.reply().end(undefined);
    expect(port.sent).toEqual(["final null {}", "final null {}", "final null {}"]);
  });

  test("calls the callback of each write", async () => {
    const reply = new RecordingPort().reply();
    const called = [
      new Promise((resolve) => reply.write(1, resolve)),
      new Promise((resolve) => reply.write("2", "utf8", resolve)),
    ];
    expect(await Promise.all(called)).toEqual([null, null]);
  });

  test("may have a chunk whose JSON is as long as null", () => {
    const port = new RecordingPort();
    port.reply().write(1234);
    expect(port.sent).toEqual(["partial 1234 {}"]);
  });

  test("contains a Buffer as the JSON that Node makes of it", () => {
    const port = new RecordingPort();
    port.reply().write(Buffer.from([1, 2]));
    expect(port.sent).toEqual(['partial {"type":"Buffer","data":[1,2]} {}']);
  });

  test("includes the options that the handler set, from then on", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.write(1);
    reply.opts.cache = 1000;
    reply.write(2);
    reply.opts = { cache: 5 };
    reply.end();
    expect(port.sent).toEqual(["partial 1 {}", 'partial 2 {"cache":1000}', 'final null {"cache":5}']);
  });

  test("contains an error as its name, message, code and detail, and any other value unchanged", () => {
    const port = new RecordingPort();
    port.reply().error(Object.assign(new TypeError("no such thing"), { code: "ENOENT", detail: { id: 4 } }));
    port.reply().error("nope");
    port.reply().error();
    expect(port.sent).toEqual([
      'error {"name":"TypeError","message":"no such thing","code":"ENOENT","detail":{"id":4}} {}',
      'error "nope" {}',
      "error null {}",
    ]);
  });

  test("contains the reason of a rejection", () => {
    const port = new RecordingPort();
    port.reply().reject("busy");
    port.reply().reject();
    expect(port.sent).toEqual(['reject "busy"', "reject null"]);
  });

  test.each(["end", "error", "reject"] as const)("emits finish and close after %s()", async (method) => {
    const reply = new RecordingPort().reply();
    const events: string[] = [];
    const closed = new Promise<void>((resolve) => reply.on("close", resolve));
    reply.on("finish", () => events.push("finish"));
    reply.on("close", () => events.push("close"));
    reply[method]();
    expect(events).toEqual([]);
    await closed;
    expect(events).toEqual(["finish", "close"]);
  });

  test("contains no rejection after a partial", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.write(1);
    expect(() => reply.reject("too late")).toThrow(UsageError);
    expect(port.sent).toEqual(["partial 1 {}"]);
    expect(reply.active()).toBe(true);
  });

  test("includes a heartbeat on request", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.heartbeat();
    reply.end();
    reply.heartbeat();
    expect(port.sent).toEqual(["heartbeat", "final null {}"]);
  });
});

describe("the end of a reply", () => {
  test("an open reply is active, and a reply that has ended in any way is not", () => {
    const port = new RecordingPort();
    for (const end of ["end", "error", "reject"] as const) {
      const reply = port.reply();
      expect([reply.active(), reply.ended, reply.writable]).toEqual([true, false, true]);
      reply[end]();
      expect([reply.active(), reply.ended, reply.writable]).toEqual([false, true, false]);
    }
  });

  test("'finish' and 'close' come after end() has returned", async () => {
    const reply = new RecordingPort().reply();
    const events: string[] = [];
    reply.on("finish", () => events.push("finish"));
    reply.on("close", () => events.push("close"));
    reply.end("data", () => events.push("callback"));
    expect(events).toEqual([]);
    await turn();
    expect(events).toEqual(["finish", "close", "callback"]);
    expect([reply.closed, reply.writableFinished, reply.destroyed]).toEqual([true, true, false]);
  });

  test("end() takes its callback in every position that Node allows", async () => {
    const called: string[] = [];
    const port = new RecordingPort();
    port.reply().end(() => called.push("first"));
    port.reply().end("x", () => called.push("second"));
    port.reply().end("x", "utf8", () => called.push("third"));
    await turn();
    expect(called).toEqual(["first", "second", "third"]);
    expect(port.sent).toEqual(["final null {}", 'final "x" {}', 'final "x" {}']);
  });

  test("a write after the end is not sent, and is an error of the stream", async () => {
    for (const say of ["write", "end", "error", "reject"] as const) {
      const port = new RecordingPort();
      const reply = port.reply();
      reply.end("last");
      const failed = once(reply, "error");
      reply[say]("more");
      expect(await failed).toMatchObject([{ code: "ERR_STREAM_WRITE_AFTER_END" }]);
      expect(port.sent).toEqual(['final "last" {}']);
      expect(port.reported).toEqual([]);
    }
  });

  test("an error of the stream without a listener goes to the worker instead of the process", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.end();
    expect(reply.write("more")).toBe(false);
    await turn();
    expect(port.reported).toMatchObject([{ code: "ERR_STREAM_WRITE_AFTER_END" }]);
  });

  test("a write after the end calls its callback with the error", async () => {
    const reply = new RecordingPort().reply();
    reply.end();
    const called = new Promise((resolve) => reply.write("more", resolve));
    expect(await called).toMatchObject({ code: "ERR_STREAM_WRITE_AFTER_END" });
  });

  test("ending twice without data is harmless", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.end("last");
    await new Promise<void>((resolve) => reply.end(() => resolve()));
    expect(port.sent).toEqual(['final "last" {}']);
    expect(port.reported).toEqual([]);
  });
});

describe("data that JSON cannot carry", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  test("is rejected at once and leaves the reply open", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    expect(() => reply.write(cycle)).toThrow(UsageError);
    expect(() => reply.end(1n)).toThrow(UsageError);
    expect(() => reply.error(cycle)).toThrow(UsageError);
    expect(() => reply.reject(cycle)).toThrow(UsageError);
    reply.end("fine");
    expect(port.sent).toEqual(['final "fine" {}']);
  });

  test.each([[null], [undefined]])("a chunk cannot be null or undefined: %o", (chunk) => {
    const port = new RecordingPort();
    expect(() => port.reply().write(chunk)).toThrow("a partial reply cannot be null");
    expect(port.sent).toEqual([]);
  });

  test("does not hide the handler's error from the caller", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.opts = { cycle };
    expect(Reply.fail(reply, Object.assign(new Error("boom"), { detail: cycle }))).toBe(true);
    expect(port.sent).toHaveLength(1);
    expect(port.sent[0]).toMatch(/^error \{"name":"Error","message":"the handler failed with an error that cannot be/);
  });
});

describe("a slow link", () => {
  test("write() returns false until 'drain'", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 2;
    const reply = port.reply();
    expect(reply.write(1)).toBe(true);
    expect(reply.write(2)).toBe(false);
    expect(reply.writableNeedDrain).toBe(true);
    const drained = once(reply, "drain");
    port.drain(reply);
    await drained;
    expect(reply.writableNeedDrain).toBe(false);
    expect(reply.write(3)).toBe(true);
  });

  test("a reply that was not paused gets no 'drain'", () => {
    const reply = new RecordingPort().reply();
    reply.on("drain", () => expect.unreachable());
    Reply.drain(reply);
  });
});

describe("an aborted reply", () => {
  test("sends nothing more, whatever its handler does", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.write(1);
    Reply.abort(reply, CANCELED, "echo");
    reply.write(2);
    reply.heartbeat();
    reply.error(new Error("late"));
    reply.reject();
    reply.destroy();
    reply.end("late");
    await turn();
    expect(port.sent).toEqual(["partial 1 {}"]);
    expect(port.reported).toEqual([]);
    expect([reply.active(), reply.ended, reply.destroyed, reply.closed]).toEqual([false, false, true, true]);
  });

  test("destroyed with an error of another realm sends that error and has it as its own", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const error: unknown = runInNewContext('new RangeError("too far")');
    reply.destroy(error);
    expect(reply.writableErrored).toBe(error);
    await turn();
    expect(port.sent).toEqual(['error {"name":"RangeError","message":"too far"} {}']);
  });

  test("aborts its signal with the reason", async () => {
    const reply = new RecordingPort().reply();
    const { signal } = reply;
    Reply.abort(reply, CANCELED, "echo");
    await once(signal, "abort");
    expect(signal.reason).toBeInstanceOf(RequestError);
    expect(signal.reason).toMatchObject({ ...CANCELED, service: "echo", requestId: "r1" });
  });

  test("has an aborted signal afterwards", () => {
    const reply = new RecordingPort().reply();
    Reply.abort(reply, CANCELED, "echo");
    expect(reply.signal.aborted).toBe(true);
  });

  test("does not abort the signal when the handler ends by itself", async () => {
    const port = new RecordingPort();
    for (const end of ["end", "destroy"] as const) {
      const reply = port.reply();
      const { signal } = reply;
      reply[end]();
      await turn();
      expect(signal.aborted).toBe(false);
    }
  });

  test("emits the error, then 'close', and no 'finish'", async () => {
    const reply = new RecordingPort().reply();
    const events: string[] = [];
    reply.on("error", (error: Error) => events.push(`error ${error.message}`));
    reply.on("close", () => events.push("close"));
    reply.on("finish", () => events.push("finish"));
    Reply.abort(reply, CANCELED, "echo");
    await turn();
    expect(events).toEqual(["error the caller gave up", "close"]);
  });

  test("emits 'drain' for a waiting handler, which then sees that it is not active", async () => {
    const reply = new RecordingPort().reply();
    Reply.abort(reply, CANCELED, "echo");
    await turn();
    expect(reply.write("dropped")).toBe(false);
    await once(reply, "drain");
    expect(reply.active()).toBe(false);
  });

  test("emits 'drain' also if its own write caused the abort", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    port.apply = () => Reply.abort(reply, CANCELED, "echo");
    const drained = new Promise<void>((resolve) => reply.once("drain", resolve));
    expect(reply.write("refused")).toBe(false);
    await drained;
    expect(reply.active()).toBe(false);
  });

  test("passes the reason to the callbacks of later writes and ends", async () => {
    const reply = new RecordingPort().reply();
    Reply.abort(reply, CANCELED, "echo");
    const written = new Promise((resolve) => reply.write("dropped", resolve));
    const ended = new Promise((resolve) => reply.end(resolve));
    expect(await Promise.all([written, ended])).toMatchObject([CANCELED, CANCELED]);
    expect(await new Promise((resolve) => reply.end(resolve))).toMatchObject(CANCELED);
  });

  test("an end before the abort stays an end", async () => {
    const reply = new RecordingPort().reply();
    reply.end();
    Reply.abort(reply, CANCELED, "echo");
    await once(reply, "finish");
    expect(reply.signal.aborted).toBe(false);
  });
});

describe("a destroyed reply", () => {
  test("sends the error to the caller", () => {
    const port = new RecordingPort();
    port.reply().destroy(new RangeError("out of rows"));
    port.reply().destroy();
    expect(port.sent).toEqual([
      'error {"name":"RangeError","message":"out of rows"} {}',
      'error {"name":"Error","message":"the handler destroyed its reply before the end"} {}',
    ]);
  });

  test("sends no second message", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.destroy(new Error("first"));
    reply.destroy(new Error("second"));
    reply.write(1);
    reply.end();
    await turn();
    expect(port.sent).toHaveLength(1);
    expect(Reply.fail(reply, new Error("third"))).toBe(false);
  });

  test("does not change a reply that has ended", () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.end("last");
    reply.destroy(new Error("late"));
    expect(port.sent).toEqual(['final "last" {}']);
    expect(reply.destroyed).toBe(false);
  });
});

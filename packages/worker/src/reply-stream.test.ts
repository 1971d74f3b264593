// Node's own stream functions with a reply. Node is not mocked.

import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished, PassThrough, pipeline, Readable, Transform, Writable } from "node:stream";
import { finished as finishedPromise, pipeline as pipelinePromise } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { DIALECTS } from "./dialect.ts";
import { Reply } from "./reply.ts";
import { RecordingPort, turn } from "./testing/recording-port.ts";

const CANCELED = { code: "CANCELED", message: "the caller gave up", delivery: "maybe-executed" } as const;

/** Objects 1, 2, … as a stream; after `failAfter` of them it fails. */
function numbers(count: number, failAfter: number = Number.POSITIVE_INFINITY): Readable {
  return Readable.from(
    (function* () {
      for (let value = 1; value <= count; value++) {
        if (value > failAfter) throw new Error("the source failed");
        yield { value };
      }
    })(),
  );
}

/** Emits `drain` one turn after each pause, and counts the pauses. */
function drainEachTime(port: RecordingPort, reply: Reply): { pauses: number } {
  const count = { pauses: 0 };
  const apply = port.apply.bind(port);
  port.apply = (input) => {
    apply(input);
    if (input.type === "partial" && reply.writableNeedDrain) {
      count.pauses += 1;
      setImmediate(() => port.drain(reply));
    }
  };
  return count;
}

/** Unlike `once`, does not listen to errors. */
function closed(reply: Reply): Promise<void> {
  return new Promise((resolve) => reply.once("close", resolve));
}

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pigato-reply-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "file");
  await writeFile(path, text);
  return path;
}

describe("pipeline", () => {
  test("sends every chunk and the end", async () => {
    const port = new RecordingPort();
    await pipelinePromise(numbers(2), port.reply());
    expect(port.sent).toEqual(['partial {"value":1} {}', 'partial {"value":2} {}', "final null {}"]);
  });

  test("works with a callback", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const error = await new Promise((resolve) => pipeline(numbers(1), reply, resolve));
    expect(error).toBeFalsy();
    expect(port.sent).toEqual(['partial {"value":1} {}', "final null {}"]);
    expect(reply.writableFinished).toBe(true);
  });

  test("works with a transform in between", async () => {
    const port = new RecordingPort();
    const values = new Transform({
      objectMode: true,
      transform: (chunk: { value: number }, _encoding, done) => done(null, chunk.value),
    });
    await pipelinePromise(numbers(2), values, port.reply());
    expect(port.sent).toEqual(["partial 1 {}", "partial 2 {}", "final null {}"]);
  });

  test("works with an async generator as the source", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 1;
    const reply = port.reply();
    const count = drainEachTime(port, reply);
    await pipelinePromise(async function* () {
      yield* ["a", "b", "c"];
    }, reply);
    expect(port.sent).toEqual(['partial "a" {}', 'partial "b" {}', 'partial "c" {}', "final null {}"]);
    expect(count.pauses).toBe(3);
  });

  test("waits for the link", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 10;
    const reply = port.reply();
    const count = drainEachTime(port, reply);
    await pipelinePromise(numbers(100), reply);
    expect(port.sent).toHaveLength(101);
    expect(count.pauses).toBe(10);
  });

  test.each(["promise", "callback"])("a source that fails ends the request with its error (%s)", async (form) => {
    const port = new RecordingPort();
    const reply = port.reply();
    const source = numbers(3, 1);
    const error =
      form === "promise"
        ? await pipelinePromise(source, reply).catch((reason: unknown) => reason)
        : await new Promise((resolve) => pipeline(source, reply, resolve));
    expect(error).toMatchObject({ message: "the source failed" });
    await turn();
    expect(port.sent).toEqual(['partial {"value":1} {}', 'error {"name":"Error","message":"the source failed"} {}']);
    expect(port.reported).toEqual([]);
  });

  test("an async generator that fails ends the request with its error", async () => {
    const port = new RecordingPort();
    const failing = pipelinePromise(async function* () {
      yield 1;
      throw new Error("the source failed");
    }, port.reply());
    await expect(failing).rejects.toThrow("the source failed");
    await turn();
    expect(port.sent).toEqual(["partial 1 {}", 'error {"name":"Error","message":"the source failed"} {}']);
    expect(port.reported).toEqual([]);
  });

  test("a chunk that JSON cannot represent ends the request, but not the process", async () => {
    const port = new RecordingPort();
    await expect(pipelinePromise(Readable.from([1, 2n, 3]), port.reply())).rejects.toThrow(
      "JSON cannot carry data, a BigInt",
    );
    await turn();
    expect(port.sent[0]).toBe("partial 1 {}");
    expect(port.sent[1]).toMatch(/^error \{"name":"UsageError",.*"code":"USAGE"\}/);
    expect(port.sent).toHaveLength(2);
  });

  test("an abort of the request destroys the source and fails the pipeline with the reason", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const source = new PassThrough({ objectMode: true });
    const running = pipelinePromise(source, reply);
    source.write({ value: 1 });
    await turn();
    Reply.abort(reply, CANCELED, "echo");
    await expect(running).rejects.toMatchObject(CANCELED);
    expect(source.destroyed).toBe(true);
    await turn();
    expect(port.sent).toEqual(['partial {"value":1} {}']);
    expect(port.reported).toEqual([]);
  });

  test("a reply that was aborted before fails the pipeline and destroys the source", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    Reply.abort(reply, CANCELED, "echo");
    await turn();
    const source = new PassThrough({ objectMode: true });
    await expect(pipelinePromise(source, reply)).rejects.toThrow();
    expect(port.sent).toEqual([]);
  });

  test("that is aborted by its own signal ends the request with an error", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const controller = new AbortController();
    const running = pipelinePromise(new PassThrough({ objectMode: true }), reply, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    await turn();
    expect(port.sent).toHaveLength(1);
    expect(port.sent[0]).toMatch(/^error \{"name":"AbortError",.*"code":"ABORT_ERR"\}/);
  });

  test("that is aborted by the reply's signal sends nothing more", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const running = pipelinePromise(new PassThrough({ objectMode: true }), reply, { signal: reply.signal });
    Reply.abort(reply, CANCELED, "echo");
    await expect(running).rejects.toThrow();
    await turn();
    expect(port.sent).toEqual([]);
    expect(port.reported).toEqual([]);
  });
});

describe("pipe", () => {
  test("sends a file as chunks, each as the JSON of a Buffer", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    createReadStream(await fileOf("hello")).pipe(reply);
    await once(reply, "finish");
    expect(port.sent).toEqual([`partial ${JSON.stringify(Buffer.from("hello"))} {}`, "final null {}"]);
  });

  test("sends a file that is read as text as strings", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    createReadStream(await fileOf("hello"), "utf8").pipe(reply);
    await once(reply, "finish");
    expect(port.sent).toEqual(['partial "hello" {}', "final null {}"]);
  });

  test("a missing file ends the request with an error, but not the process", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    createReadStream("/nonexistent/file").pipe(reply);
    await closed(reply);
    expect(port.sent).toHaveLength(1);
    expect(port.sent[0]).toMatch(
      /^error \{"name":"Error","message":"ENOENT.*"code":"ENOENT",.*"path":"\/nonexistent\/file"\}/,
    );
    expect(port.reported).toEqual([]);
  });

  test("waits for the link", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 10;
    const reply = port.reply();
    const count = drainEachTime(port, reply);
    numbers(100).pipe(reply);
    await once(reply, "finish");
    expect(port.sent).toHaveLength(101);
    expect(count.pauses).toBe(10);
  });

  test("a chunk that JSON cannot represent ends the request, but not the process", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    Readable.from([1, 2n, 3]).pipe(reply);
    await closed(reply);
    expect(port.sent).toHaveLength(2);
    expect(port.sent[1]).toMatch(/^error /);
  });

  test("an abort destroys the source and has no other effect", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    const source = new PassThrough({ objectMode: true });
    source.pipe(reply);
    Reply.abort(reply, CANCELED, "echo");
    await closed(reply);
    source.write({ value: 1 });
    await turn();
    expect(port.sent).toEqual([]);
    expect(port.reported).toEqual([]);
    expect(source.listenerCount("error")).toBe(0);
  });
});

describe("finished", () => {
  test("resolves at the end", async () => {
    const reply = new RecordingPort().reply();
    const done = finishedPromise(reply);
    reply.end("data");
    await done;
  });

  test("resolves for a reply that ended before", async () => {
    const reply = new RecordingPort().reply();
    reply.end("data");
    await finishedPromise(reply);
    await turn();
    await finishedPromise(reply);
  });

  test.each(["destroy", "abort"] as const)("reports that the reply closed early: %s", async (how) => {
    const reply = new RecordingPort().reply();
    const done = new Promise((resolve) => finished(reply, resolve));
    if (how === "destroy") reply.destroy();
    else Reply.abort(reply, CANCELED, "echo");
    expect(await done).toBeInstanceOf(Error);
    await expect(finishedPromise(reply)).rejects.toThrow();
  });
});

describe("Writable.toWeb", () => {
  /** By reflection: its type demands a class of Node. */
  const toWeb = (reply: Reply): WritableStream => Reflect.apply(Writable.toWeb, Writable, [reply]);

  test("sends every chunk and the end", async () => {
    const port = new RecordingPort();
    const writer = toWeb(port.reply()).getWriter();
    await writer.write(1);
    await writer.write({ value: 2 });
    await writer.close();
    expect(port.sent).toEqual(["partial 1 {}", 'partial {"value":2} {}', "final null {}"]);
  });

  test("waits for drain", async () => {
    const port = new RecordingPort();
    port.pauseAfter = 1;
    const reply = port.reply();
    const count = drainEachTime(port, reply);
    await Readable.toWeb(numbers(5)).pipeTo(toWeb(reply));
    expect(count.pauses).toBe(5);
    expect(port.sent).toHaveLength(6);
  });

  test("ends the request with the error when it is aborted", async () => {
    const port = new RecordingPort();
    const reply = port.reply();
    reply.on("error", () => {});
    await toWeb(reply).abort(new Error("enough"));
    expect(port.sent).toEqual(['error {"name":"Error","message":"enough"} {}']);
  });

  test("fails when the request is aborted", async () => {
    const reply = new RecordingPort().reply();
    const writer = toWeb(reply).getWriter();
    Reply.abort(reply, CANCELED, "echo");
    await expect(writer.closed).rejects.toMatchObject({ code: "CANCELED" });
  });

  test("of a reply that ended before is closed", async () => {
    const reply = new RecordingPort().reply();
    reply.end();
    await expect(toWeb(reply).getWriter().closed).resolves.toBeUndefined();
  });
});

test("a source of values fails a reply without partials", async () => {
  const port = new RecordingPort(DIALECTS.mdp01.format);
  await expect(pipelinePromise(numbers(3), port.reply())).rejects.toThrow("reply.write() cannot be used");
  expect(port.sent).toEqual([expect.stringMatching(/^error .*a reply there has no parts/)]);
});

test("a source of bytes is sent as bytes in a dialect with bodies of bytes", async () => {
  const port = new RecordingPort(DIALECTS.mdp02.format);
  await pipelinePromise(Readable.from([Buffer.from("raw"), { value: 1 }]), port.reply());
  expect(port.sent).toEqual(["partial raw {}", 'partial {"value":1} {}', "final null {}"]);
});

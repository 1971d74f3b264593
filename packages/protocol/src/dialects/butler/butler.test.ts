// Frames of butler 0.3.0, written by hand.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { NO_CAPABILITIES } from "../../capabilities.ts";
import type { Frames } from "../../frame.ts";
import { asFrame, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import { butler } from "./index.ts";

const NOW = 1_700_000_000_000;
const dialect = butler({ readsWorkers: true, wallClock: () => NOW });
const frontend = butler({ readsWorkers: false, wallClock: () => NOW });
const frames = (...texts: string[]) => texts.map((text) => writeBytes(text));
const toClient = (message: Parameters<typeof dialect.encodeToClient>[0]) =>
  dialect.encodeToClient(message, NO_CAPABILITIES)?.map((frame) => readBytes(asFrame(frame)));
const toWorker = (message: Parameters<typeof dialect.encodeToWorker>[0]) =>
  dialect.encodeToWorker(message)?.map((frame) => readBytes(asFrame(frame)));

const exceptionIn = (sent: string[] | undefined) =>
  JSON.parse(/^500:exception:(.*)$/.exec(sent?.[2] ?? "")?.[1] ?? "{}");

const ID = requestId("0.3.0:7");
const request = (service: string, at: number | string) => frames("", "0.3.0:7", service, String(at), '{"method":"f"}');

test("D-DET-4: a client is detected by its five frames, a worker by its command if the bind reads workers", () => {
  expect(dialect.detect(request("echo", NOW))).toBe("client");
  expect(dialect.detect(frames("", "0.3.0:7", "echo", "1"))).toBeUndefined();
  expect(dialect.detect(frames("", "MDPC01", "echo", "a", "b"))).toBeUndefined();
  for (const command of ["\x01", "\x02", "\x04"]) {
    expect(dialect.detect(frames(command, "echo"))).toBe("worker");
    expect(frontend.detect(frames(command, "echo"))).toBeUndefined();
  }
  expect(dialect.detect(frames("\x03"))).toBeUndefined();
});

test("D-BUT-1: a request expires at the time it contains, and fails at once without a worker", () => {
  expect(dialect.decodeFromClient(request("echo", NOW + 2_500))).toMatchObject({
    type: "request",
    service: "echo",
    requestId: ID,
    isRaw: true,
    options: { timeoutMs: 2_500, failFast: true },
  });
  for (const [at, timeoutMs] of [
    [NOW - 1, 0],
    ["soon", 0],
    [NOW * 2, 86_400_000],
  ] as const) {
    expect(dialect.decodeFromClient(request("echo", at))).toMatchObject({ options: { timeoutMs } });
  }
});

test("D-BUT-5: a name behind mmi. asks whether that service has a worker", () => {
  const asked = dialect.decodeFromClient(request("mmi.echo", NOW + 1));
  expect(asked).toMatchObject({ service: "mmi.service", requestId: "mmi.echo", body: [writeBytes("echo")] });
  const answer = { type: "final", requestId: requestId("mmi.echo"), status: 0, trailer: [] } as const;
  expect(toClient({ ...answer, body: frames("200") })).toEqual(["", "echo", "200"]);
  expect(toClient({ ...answer, body: frames("404") })).toEqual(["", "echo", "400"]);
});

test("a client gets one frame of response, and no partials", () => {
  const reply = { requestId: ID, status: 0, isRaw: true, trailer: [] };
  expect(toClient({ type: "final", ...reply, body: frames("plain text") })).toEqual(["", "0.3.0:7", '"plain text"']);
  expect(toClient({ type: "final", ...reply, body: frames("1", "two") })).toEqual(["", "0.3.0:7", '[1,"two"]']);
  expect(toClient({ type: "partial", ...reply, body: frames("x") })).toBeUndefined();
});

test("D-BUT-8: a client gets the text of a butler worker unchanged", () => {
  const read = dialect.decodeFromWorker(frames("\x04", "~1.2", "", "0.3.0:7", "plain text"));
  expect(read).toMatchObject({ type: "final", isRaw: true, isText: true });
  const body = read.type === "final" ? read.body : [];
  const reply = { requestId: ID, status: 0, isRaw: true, isText: true, trailer: [] };
  expect(toClient({ type: "final", ...reply, body })).toEqual(["", "0.3.0:7", "plain text"]);
});

test("D-MAP-9: a worker gets a body that is not JSON as a JSON string", () => {
  const request = { address: "~1.2", requestId: ID, service: serviceName("echo"), trailer: [], isRaw: true };
  const options = DEFAULT_REQUEST_OPTIONS;
  const received = (...body: string[]) =>
    toWorker({ type: "request", ...request, options, body: frames(...body) })?.[5];
  expect(received("plain text")).toBe('"plain text"');
  expect(received("\xff")).toBe('"data:application/octet-stream;base64,/w=="');
  expect(received("")).toBe('""');
});

test("D-BUT-6: a client gets 404 without a worker, 500 for other failures, and nothing for an expired request", () => {
  const failed = (code: "UNAVAILABLE" | "WORKER_LOST" | "DEADLINE_EXCEEDED") =>
    toClient({ type: "failure", requestId: ID, failure: { code, message: "why", delivery: "queued" } });
  expect(failed("UNAVAILABLE")).toEqual(["", "404"]);
  expect(failed("DEADLINE_EXCEEDED")).toBeUndefined();
  expect(exceptionIn(failed("WORKER_LOST"))).toEqual({
    class: "cexceptions\nRuntimeError\n.",
    object: "cexceptions\nRuntimeError\n(Vwhy\ntR.",
    name: "WORKER_LOST",
    message: "why",
    traceback: "",
    traceback_list: [],
  });
});

describe("D-BUT-7: an exception of a worker", () => {
  const TRACEBACK = "Traceback: a.py, line 3";
  const sent = {
    name: "ValueError",
    message: "no such size",
    traceback: TRACEBACK,
    traceback_list: [["a.py", 3, "f", "raise"]],
  };
  /** The error of a worker's response, and what a client gets for it. */
  const passed = (exception: object) => {
    const response = `500:exception:${JSON.stringify(exception)}`;
    const read = dialect.decodeFromWorker(frames("\x04", "~1.2", "", "0.3.0:7", response));
    expect(read).toMatchObject({ type: "final", address: "~1.2", status: -1 });
    const body = read.type === "final" ? read.body : [];
    const error = JSON.parse(readBytes(body[0] ?? writeBytes("")));
    return { error, received: exceptionIn(toClient({ type: "final", requestId: ID, status: -1, body, trailer: [] })) };
  };

  test("that is builtin is written anew", () => {
    const argument = `no such size\\n\\nOriginal ${TRACEBACK}`;
    const object = `cexceptions\nValueError\np1\n(S'${argument}'\ntp2\nRp3\n.`;
    const { error, received } = passed({ ...sent, class: "cexceptions\nValueError\np1\n.", object });
    expect(error).toEqual({ name: "ValueError", message: "no such size", detail: TRACEBACK });
    expect(received).toEqual({
      class: "cexceptions\nValueError\n.",
      object: "cexceptions\nValueError\n(Vno such size\ntR.",
      name: "ValueError",
      message: "no such size",
      traceback: TRACEBACK,
      traceback_list: [],
    });
  });

  test("keeps the argument where the message differs", () => {
    const object = "cexceptions\nKeyError\np1\n(S'x'\ntp2\nRp3\n.";
    const { received } = passed({ ...sent, name: "KeyError", message: "'x'", object });
    expect(received.object).toBe("cexceptions\nKeyError\n(Vx\ntR.");
  });

  test("that has any other pickle becomes a RuntimeError, even under the name of a builtin class", () => {
    const object = "cos\nsystem\n(S'true'\ntR.";
    for (const name of ["ValueError", "NoSuchSize", "SystemExit"]) {
      const { error, received } = passed({ ...sent, name, class: "cos\nsystem\n.", object });
      expect(error).toMatchObject({ name, message: "no such size", detail: TRACEBACK });
      expect(received).toMatchObject({ name, class: "cexceptions\nRuntimeError\n." });
      expect(received.object).toBe("cexceptions\nRuntimeError\n(Vno such size\ntR.");
    }
  });

  test("that has no pickle is known by its name", () => {
    expect(passed(sent).received.object).toBe("cexceptions\nValueError\n(Vno such size\ntR.");
    expect(passed({ ...sent, name: "NoSuchSize" }).received.object).toBe(
      "cexceptions\nRuntimeError\n(Vno such size\ntR.",
    );
  });
});

test("D-BUT-7: an error of another dialect's worker can be raised, whatever it is", () => {
  const raised = (...body: string[]) =>
    exceptionIn(toClient({ type: "final", requestId: ID, status: -1, isRaw: true, body: frames(...body), trailer: [] }))
      .object;
  expect(raised('{"name":"TypeError","message":"no"}')).toBe("cexceptions\nTypeError\n(Vno\ntR.");
  expect(raised('{"name":"RangeError","message":"no"}')).toBe("cexceptions\nRuntimeError\n(Vno\ntR.");
  expect(raised('"no such size"')).toBe("cexceptions\nRuntimeError\n(Vno such size\ntR.");
  expect(raised("plain text")).toBe("cexceptions\nRuntimeError\n(Vplain text\ntR.");
  expect(raised("7")).toBe("cexceptions\nRuntimeError\n(V7\ntR.");
  expect(raised("")).toBe("cexceptions\nRuntimeError\n(V\ntR.");
});

test("D-BUT-7: a large error is not parsed, and only the start of its text is raised", () => {
  const parse = vi.spyOn(JSON, "parse");
  const bomb = `[${"{},".repeat(350_000)}{}]`;
  const body = frames(bomb);
  const raised = toClient({ type: "final", requestId: ID, status: -1, isRaw: true, body, trailer: [] })?.[2] ?? "";
  const read = dialect.decodeFromWorker(frames("\x04", "~1.2", "", "0.3.0:7", `500:exception:${bomb}`));
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
  expect(exceptionIn(["", "", raised])).toMatchObject({ name: "Error", message: bomb.slice(0, 65_536) });
  expect(read).toMatchObject({ type: "final", status: -1 });
  const long = frames(JSON.stringify({ name: "KeyError", message: "\u0001".repeat(100_000) }));
  const escaped = toClient({ type: "final", requestId: ID, status: -1, body: long, trailer: [] })?.[2] ?? "";
  expect(escaped.length).toBeLessThan(14 * 65_536);
});

describe("D-BUT-6: a function that the service lacks", () => {
  const lacking = { name: "RequestError", message: "none", code: "UNIMPLEMENTED", delivery: "dispatched" };
  const received = (body: Frames) => toClient({ type: "final", requestId: ID, status: -1, body, trailer: [] });

  test("of a worker is UNIMPLEMENTED for others, and 404 for a butler client", () => {
    const read = dialect.decodeFromWorker(frames("\x04", "~1.2", "", "0.3.0:7", "404"));
    expect(read).toMatchObject({ type: "final", status: -1 });
    const body = read.type === "final" ? read.body : [];
    const error: unknown = JSON.parse(readBytes(body[0] ?? writeBytes("")));
    expect(error).toEqual({ ...lacking, message: "the service has no such function" });
    expect(received(body)).toEqual(["", "0.3.0:7", "404"]);
  });

  test("of a host is 404, but not that of a nested request", () => {
    expect(received(frames(JSON.stringify(lacking)))).toEqual(["", "0.3.0:7", "404"]);
    const nested = received(frames(JSON.stringify({ ...lacking, requestId: "r1" })));
    expect(nested?.[2]).toMatch(/^500:exception:/);
  });
});

test("D-BUT-3: a worker registers, sends heartbeats and replies", () => {
  expect(dialect.decodeFromWorker(frames("\x01", "echo"))).toEqual({
    type: "ready",
    service: "echo",
    offer: undefined,
  });
  expect(dialect.decodeFromWorker(frames("\x02"))).toMatchObject({ type: "heartbeat" });
  expect(dialect.decodeFromWorker(frames("\x04", "~1.2", "", "0.3.0:7", "done"))).toMatchObject({
    status: 0,
    isRaw: true,
    body: [writeBytes("done")],
  });
  for (const sent of [["\x01"], ["\x01", ""], ["\x04"], ["\x04", "~1.2", "", "0.3.0:7"], ["\x05"], [""], []]) {
    expect(dialect.decodeFromWorker(frames(...sent))).toMatchObject({ type: "violation" });
  }
});

test("D-BUT-4: a worker gets six frames, and an id in the format of butler", () => {
  const content = {
    service: serviceName("echo"),
    trailer: frames("{}"),
    options: { ...DEFAULT_REQUEST_OPTIONS, timeoutMs: 100 },
  };
  const dispatched = { type: "request", address: "~1.2", requestId: ID, body: frames("1", "two"), ...content } as const;
  expect(toWorker(dispatched)).toEqual(["~1.2", "", "0.3.0:7", "echo", String(NOW + 100), '[1,"two"]']);
  expect(toWorker({ ...dispatched, requestId: requestId("r1") })?.[2]).toBe("0.3.0:r1");
  expect(toWorker({ type: "heartbeat" })).toEqual(["\x02"]);
  expect(toWorker({ type: "disconnect" })).toEqual(["\x03"]);
  expect(toWorker({ type: "ready", accepted: undefined })).toBeUndefined();
});

test("any frames decode to a message or a violation", () => {
  const known = fc.constantFrom(
    "",
    "0.3.0:7",
    "echo",
    "mmi.echo",
    "\x01",
    "\x02",
    "\x04",
    "404",
    "500:exception:{}",
    "500:exception:x",
  );
  const frame = fc.oneof(
    known.map((text) => writeBytes(text)),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 7 }), (sent) => {
      dialect.detect(sent);
      expect(dialect.decodeFromClient(sent).type).toBeTypeOf("string");
      expect(dialect.decodeFromWorker(sent).type).toBeTypeOf("string");
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

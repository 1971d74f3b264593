// Frames of zmq-omdp 0.0.92, written by hand.

import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_CAPABILITIES } from "../../capabilities.ts";
import { asFrame, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import { omdp } from "./index.ts";

const frames = (...texts: string[]) => texts.map((text) => writeBytes(text));
const ID = requestId("r1");
const toClient = (message: Parameters<typeof omdp.encodeToClient>[0]) =>
  omdp.encodeToClient(message, NO_CAPABILITIES)?.map((frame) => readBytes(asFrame(frame)));

test("D-OMDP-1: a client's request has the frames of PIGATO, and any text as data", () => {
  expect(omdp.decodeFromClient(frames("C", "2", "echo", "r1", "any text", '{"timeout":5}'))).toMatchObject({
    type: "request",
    service: "echo",
    requestId: "r1",
    isRaw: true,
    options: { timeoutMs: 5 },
  });
  expect(omdp.decodeFromClient(frames("C", "4", "r1"))).toEqual({ type: "request-heartbeat", requestId: "r1" });
});

test("D-OMDP-4: a client's reply has no empty frame, and in an error no status", () => {
  const reply = { requestId: ID, status: 0, body: frames("1"), trailer: frames("{}") };
  expect(toClient({ type: "final", ...reply })).toEqual(["C", "3", "r1", "0", "1"]);
  expect(toClient({ type: "partial", ...reply })).toEqual(["C", "6", "r1", "0", "1"]);
  expect(toClient({ type: "final", ...reply, status: -1 })).toEqual(["C", "3", "r1", "1"]);
  expect(toClient({ type: "final", ...reply, status: 7 })).toEqual(["C", "3", "r1", "7"]);
  expect(toClient({ type: "heartbeat", accepted: undefined })).toBeUndefined();
});

test("D-MAP-9: whatever a client receives is JSON", () => {
  const failure = { code: "BUSY", message: "", delivery: "queued" } as const;
  expect(toClient({ type: "failure", requestId: ID, failure })).toEqual(["C", "3", "r1", '"BUSY"']);
  const reply = { requestId: ID, isRaw: true, trailer: [] };
  for (const status of [0, -1]) {
    const last = (type: "final" | "partial", ...body: string[]) =>
      toClient({ type, ...reply, status, body: frames(...body) })?.at(-1);
    expect(last("final", "plain text")).toBe('"plain text"');
    expect(last("partial", "plain text")).toBe('"plain text"');
    expect(last("final", "\xff")).toBe('"data:application/octet-stream;base64,/w=="');
    expect(last("final", "1", "two")).toBe('[1,"two"]');
    expect(last("final", "")).toBe('""');
  }
  expect(toClient({ type: "final", ...reply, isRaw: false, status: 0, body: frames("") })?.at(-1)).toBe("null");
});

test("D-MAP-9: a request that will be stored is converted before", () => {
  const read = omdp.decodeFromClient(frames("C", "2", "echo", "r1", "any text", '{"persist":1}'));
  expect(read).toMatchObject({ body: [writeBytes('"any text"')] });
  expect(read).not.toHaveProperty("isRaw");
});

test("D-OMDP-3: a worker's replies have no empty frame", () => {
  expect(omdp.decodeFromWorker(frames("W", "3", "~1.2", "r1", "0", "x"))).toMatchObject({
    type: "final",
    address: "~1.2",
    requestId: "r1",
    status: 0,
  });
  expect(omdp.decodeFromWorker(frames("W", "6", "~1.2", "r1", "0", "x"))).toMatchObject({ type: "partial", status: 0 });
  const error = omdp.decodeFromWorker(frames("W", "3", "~1.2", "r1", '"no"'));
  expect(error).toMatchObject({ type: "final", status: -1, body: [writeBytes('"no"')] });
  expect(omdp.decodeFromWorker(frames("W", "1", "echo"))).toEqual({ type: "ready", service: "echo", offer: undefined });
  expect(omdp.decodeFromWorker(frames("W", "4"))).toMatchObject({ type: "heartbeat" });
  expect(omdp.decodeFromWorker(frames("W", "4", "~1.2", "r1"))).toMatchObject({
    type: "request-heartbeat",
    address: "~1.2",
  });
  expect(omdp.decodeFromWorker(frames("W", "5"))).toEqual({ type: "disconnect" });
});

test("D-OMDP-5: a worker gets address, id and data", () => {
  const sent = (message: Parameters<typeof omdp.encodeToWorker>[0]) =>
    omdp.encodeToWorker(message)?.map((frame) => readBytes(asFrame(frame)));
  const addressed = { address: "~1.2", requestId: ID };
  const content = {
    service: serviceName("echo"),
    body: frames("1"),
    trailer: frames("{}"),
    options: DEFAULT_REQUEST_OPTIONS,
  };
  expect(sent({ type: "request", ...addressed, ...content })).toEqual(["W", "2", "~1.2", "r1", "1"]);
  const text = { ...content, body: frames("plain text"), isRaw: true };
  expect(sent({ type: "request", ...addressed, ...text })).toEqual(["W", "2", "~1.2", "r1", '"plain text"']);
  expect(sent({ type: "request-heartbeat", ...addressed })).toEqual(["W", "4", "~1.2", "r1"]);
  expect(sent({ type: "heartbeat" })).toEqual(["W", "4"]);
  expect(sent({ type: "disconnect" })).toEqual(["W", "5"]);
  expect(sent({ type: "ready", accepted: undefined })).toBeUndefined();
  expect(sent({ type: "cancel", ...addressed })).toBeUndefined();
});

test("any frames decode to a message or a violation", () => {
  const known = fc.constantFrom("C", "W", "1", "2", "3", "4", "5", "6", "7", "", "echo", "~1.2", "0", "-1");
  const frame = fc.oneof(
    known.map((text) => writeBytes(text)),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 9 }), (sent) => {
      expect(omdp.decodeFromClient(sent).type).toBeTypeOf("string");
      expect(omdp.decodeFromWorker(sent).type).toBeTypeOf("string");
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

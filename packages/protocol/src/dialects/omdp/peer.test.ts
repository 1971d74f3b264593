// Our peers' end of zmq-omdp: against frames written by hand, and against the broker's end.

import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_CAPABILITIES } from "../../capabilities.ts";
import { asFrame, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import type { FromClient, FromWorker, ToClient } from "../../message.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import { omdp } from "./index.ts";
import { omdpPeer } from "./peer.ts";

const peer = omdpPeer();
const frames = (...texts: string[]) => texts.map((text) => writeBytes(text));
const texts = (sent: readonly (Uint8Array | string)[] | undefined) => sent?.map((frame) => readBytes(asFrame(frame)));
const ID = requestId("r1");
const addressed = { address: "c1", requestId: ID };

test("D-PEER-8: a client sends requests and heartbeats, and nothing else", () => {
  const sent = (message: FromClient) => texts(peer.encodeFromClient(message));
  const request = {
    type: "request",
    requestId: ID,
    service: serviceName("echo"),
    body: frames("1"),
    trailer: frames('{"timeout":5}'),
    options: DEFAULT_REQUEST_OPTIONS,
  } as const;
  expect(sent(request)).toEqual(["C", "2", "echo", "r1", "1", '{"timeout":5}']);
  expect(sent({ type: "heartbeat", offer: undefined })).toEqual(["C", "4"]);
  expect(sent({ type: "request-heartbeat", requestId: ID })).toEqual(["C", "4", "r1"]);
  expect(sent({ type: "cancel", requestId: ID })).toBeUndefined();
  expect(sent({ type: "disconnect" })).toBeUndefined();
});

test("D-OMDP-4, D-PEER-9: a client reads replies, errors, failures and heartbeats", () => {
  const read = (...sent: string[]) => peer.decodeToClient(frames(...sent));
  expect(read("C", "6", "r1", "0", "1")).toMatchObject({
    type: "partial",
    requestId: "r1",
    status: 0,
    body: frames("1"),
  });
  expect(read("C", "3", "r1", "0", "text")).toMatchObject({ type: "final", status: 0, body: frames('"text"') });
  expect(read("C", "3", "r1", '{"message":"no"}')).toMatchObject({ type: "final", status: -1 });
  expect(read("C", "3", "r1", "no")).toMatchObject({ type: "final", status: -1, body: frames('"no"') });
  expect(read("C", "3", "r1", '"BUSY"')).toMatchObject({
    type: "failure",
    failure: { code: "BUSY", delivery: "maybe-executed" },
  });
  expect(read("C", "4")).toEqual({ type: "heartbeat", accepted: undefined });
  expect(read("C", "4", "r1")).toEqual({ type: "request-heartbeat", requestId: "r1" });
  expect(read("C", "3", "r1")).toMatchObject({ type: "violation", clause: "D-OMDP-4", requestId: "r1" });
  for (const wrong of [[], ["W", "3", "r1", "0", "1"], ["C", "3"], ["C", "9", "r1"], ["C", "2", "r1"]]) {
    expect(read(...wrong)).toMatchObject({ type: "violation", clause: "D-OMDP-4" });
  }
});

test("D-OMDP-2, D-OMDP-3: the broker reads what a worker sends", () => {
  const sent = (message: FromWorker) => texts(peer.encodeFromWorker(message));
  const content = { ...addressed, status: 0, body: frames("1"), trailer: [] };
  const messages: readonly [FromWorker, readonly string[]][] = [
    [{ type: "ready", service: serviceName("echo"), offer: undefined }, ["W", "1", "echo"]],
    [{ type: "heartbeat", concurrency: undefined, update: false }, ["W", "4"]],
    [{ type: "request-heartbeat", ...addressed }, ["W", "4", "c1", "r1"]],
    [{ type: "partial", ...content }, ["W", "6", "c1", "r1", "0", "1"]],
    [{ type: "final", ...content }, ["W", "3", "c1", "r1", "0", "1"]],
    [{ type: "final", ...content, status: -1 }, ["W", "3", "c1", "r1", "1"]],
    [{ type: "disconnect" }, ["W", "5"]],
  ];
  for (const [message, expected] of messages) {
    expect(sent(message)).toEqual(expected);
    expect(omdp.decodeFromWorker(frames(...expected))).toMatchObject(message);
  }
  expect(sent({ type: "reject", ...addressed, reason: undefined })).toBeUndefined();
});

test("D-OMDP-5, D-PEER-10: a worker reads what the broker sends", () => {
  const read = (...sent: string[]) => peer.decodeToWorker(frames(...sent));
  expect(read("W", "2", "c1", "r1", "text")).toMatchObject({ type: "request", ...addressed, body: frames("text") });
  expect(read("W", "4")).toEqual({ type: "heartbeat" });
  expect(read("W", "4", "c1", "r1")).toEqual({ type: "request-heartbeat", ...addressed });
  expect(read("W", "5")).toEqual({ type: "disconnect" });
  for (const wrong of [
    [],
    ["C", "4"],
    ["W", "2", "c1", "r1"],
    ["W", "2", "", "r1", "1"],
    ["W", "3", "c1", "r1", "0", "1"],
  ]) {
    expect(read(...wrong)).toMatchObject({ type: "violation", clause: "D-OMDP-5" });
  }
});

test("D-OMDP-6: a client reads the heartbeats that the broker sends", () => {
  const message: ToClient = { type: "request-heartbeat", requestId: ID };
  const sent = texts(omdp.encodeToClient(message, NO_CAPABILITIES)) ?? [];
  expect(sent).toEqual(["C", "4", "r1"]);
  expect(peer.decodeToClient(frames(...sent))).toEqual(message);
});

test("any frames decode to a message or a violation", () => {
  const known = fc.constantFrom("C", "W", "1", "2", "3", "4", "5", "6", "7", "", "echo", "~1.2", "0", '"BUSY"');
  const frame = fc.oneof(
    known.map((text) => writeBytes(text)),
    fc.uint8Array({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 9 }), (sent) => {
      expect(peer.decodeToClient(sent).type).toBeTypeOf("string");
      expect(peer.decodeToWorker(sent).type).toBeTypeOf("string");
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

import { expect, test } from "vitest";
import { asFrame, readBytes, readText, requestId, writeBytes, writeText } from "../../ids.ts";
import { MAX_RAW_FRAMES, readRawBody, writeRawBody } from "../raw-body.ts";
import { majordomoPeer } from "./peer.ts";

const frames = (...texts: string[]) => texts.map((text) => writeBytes(text));

test("D-PEER-7: a handler's failure is a final whose body contains the error", () => {
  const final = { type: "final", address: "c1", requestId: requestId("c1"), trailer: [] } as const;
  const { encodeFromWorker } = majordomoPeer("mdp02");
  const sent = (status: number, ...body: string[]) =>
    encodeFromWorker({ ...final, status, body: frames(...body) })?.map((frame) => readBytes(asFrame(frame)));
  expect(sent(0, '"good"')).toEqual(["MDPW02", "\x04", "c1", "", '"good"']);
  expect(sent(-1, '{"message":"bad"}')).toEqual(["MDPW02", "\x04", "c1", "", '{"error":{"message":"bad"}}']);
  expect(sent(-1)).toEqual(["MDPW02", "\x04", "c1", "", '{"error":null}']);
});

test("D-PEER-6: the client address serves as the request id", () => {
  expect(majordomoPeer("mdp01").decodeToWorker(frames("", "MDPW01", "\x02", "c1", "", "x"))).toMatchObject({
    requestId: "c1",
    address: "c1",
  });
});

test("only 0.2 has partials", () => {
  expect([majordomoPeer("mdp01").hasPartials, majordomoPeer("mdp02").hasPartials]).toEqual([false, true]);
});

test("D-PEER-4: bytes are one frame, an array of bytes one frame each, any other value is JSON", () => {
  const texts = (value: unknown) => writeRawBody(value).map((frame) => readText(frame));
  expect(texts(writeText("raw"))).toEqual(["raw"]);
  expect(texts([writeText("echo"), writeText("")])).toEqual(["echo", ""]);
  expect(texts({ a: [1] })).toEqual(['{"a":[1]}']);
  expect(texts([])).toEqual(["[]"]);
  expect(texts([Uint8Array.of(120), 1])).toEqual(['[{"0":120},1]']);
  expect(texts(undefined)).toEqual(["null"]);
  expect(() => writeRawBody(1n)).toThrow("BigInt");
});

test("D-PEER-4: the frames of a body are bounded", () => {
  const many = (count: number) => Array.from({ length: count }, () => writeText("x"));
  expect(writeRawBody(many(MAX_RAW_FRAMES))).toHaveLength(MAX_RAW_FRAMES);
  expect(() => writeRawBody(many(MAX_RAW_FRAMES + 1))).toThrow("data of 51 frames cannot be sent; the most is 50");
});

test("D-PEER-4: a frame that is not JSON is read as text, other bytes as they are, several frames as an array", () => {
  expect(readRawBody(frames('{"a":1}'))).toEqual({ a: 1 });
  expect(readRawBody(frames("no json"))).toBe("no json");
  expect(readRawBody(frames("undefined"))).toBe("undefined");
  expect(readRawBody(frames(""))).toBe("");
  expect(readRawBody(frames("\xff\x00"))).toEqual(Uint8Array.of(0xff, 0));
  expect(readRawBody(frames("1", "", "two", "\xff"))).toEqual([1, "", "two", Uint8Array.of(0xff)]);
});

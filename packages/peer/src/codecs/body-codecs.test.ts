import { UsageError } from "@pigato/protocol";
import { expect, test } from "vitest";
import { bodyCodecs, isRawValue } from "./body-codecs.ts";

const RAW = bodyCodecs.get("raw");

test("the codec raw passes bytes on by reference", () => {
  const bytes = Buffer.from("bytes");
  expect(RAW.encode(bytes)).toBe(bytes);
  const { buffer } = new Uint8Array([1, 2, 3]);
  expect(RAW.encode(buffer).buffer).toBe(buffer);
});

test("the codec raw carries bytes and nothing else", () => {
  expect([Buffer.from(""), new Uint8Array(1), new ArrayBuffer(1)].map(isRawValue)).toEqual([true, true, true]);
  for (const value of ["text", null, undefined, [1], {}, new Uint16Array(1), new DataView(new ArrayBuffer(1))]) {
    expect(isRawValue(value)).toBe(false);
    expect(() => RAW.encode(value)).toThrow(UsageError);
  }
});

test("the codec raw reads a frame as a Buffer that shares its memory", () => {
  const frame = new Uint8Array([1, 2, 3]);
  const read = RAW.decode(frame);
  if (!Buffer.isBuffer(read)) throw new Error("it is no Buffer");
  expect(read.buffer).toBe(frame.buffer);
  expect([...read]).toEqual([1, 2, 3]);
});

test("the codec raw copies a frame that would keep a larger buffer alive", () => {
  const chunk = new Uint8Array(64 * 1024);
  const read = RAW.decode(chunk.subarray(10, 20_010));
  if (!Buffer.isBuffer(read)) throw new Error("it is no Buffer");
  expect(read.buffer).not.toBe(chunk.buffer);
  expect(read.length).toBe(20_000);
});

test("the codecs of this process are those that are installed", () => {
  expect(bodyCodecs.installed).toEqual(["raw", "msgpack"]);
});

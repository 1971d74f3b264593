import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { DecodeCache, LastValueCache } from "./decode-cache.ts";
import { readBytes, writeBytes } from "./ids.ts";

test("a cache decodes any frames in any order as if each were decoded alone", () => {
  const bytes = fc.uint8Array({ maxLength: 3, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, fc.uint8Array({ minLength: 120, maxLength: 140 }))), (frames) => {
      const cache = new DecodeCache(readBytes);
      for (const frame of frames) expect(cache.read(frame)).toBe(readBytes(frame));
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("a cache decodes a repeated frame once", () => {
  const read = vi.fn(readBytes);
  const cache = new DecodeCache(read);
  for (const text of ["echo", "sum", "echo", "sum", "echo"]) expect(cache.read(writeBytes(text))).toBe(text);
  expect(read).toHaveBeenCalledTimes(2);
});

test("a cache survives that the memory of a frame is reused", () => {
  const cache = new DecodeCache(readBytes);
  const memory = Buffer.from("echo");
  cache.read(memory.subarray());
  memory.write("ecco");
  expect([cache.read(memory.subarray()), cache.read(writeBytes("echo"))]).toEqual(["ecco", "echo"]);
});

test("a cache decodes a frame of more than 128 bytes each time", () => {
  const read = vi.fn(readBytes);
  const cache = new DecodeCache(read);
  for (const length of [128, 128, 129, 129]) cache.read(writeBytes("x".repeat(length)));
  expect(read).toHaveBeenCalledTimes(3);
});

test("a last-value cache reads each frame as if alone, whatever the last one was", () => {
  const names = fc.array(fc.uint8Array({ maxLength: 3, max: 2 }));
  fc.assert(
    fc.property(names, (frames) => {
      const last = new LastValueCache();
      for (const frame of frames) expect(last.read(frame)).toBe(readBytes(frame));
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { FrameMemo, LastName } from "./frame-memo.ts";
import { readBytes, writeBytes } from "./ids.ts";

test("any frames in any order mean what they mean when read alone", () => {
  const bytes = fc.uint8Array({ maxLength: 3, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, fc.uint8Array({ minLength: 120, maxLength: 140 }))), (frames) => {
      const memo = new FrameMemo(readBytes);
      for (const frame of frames) expect(memo.read(frame)).toBe(readBytes(frame));
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("a frame that comes again is not read again", () => {
  const read = vi.fn(readBytes);
  const memo = new FrameMemo(read);
  for (const text of ["echo", "sum", "echo", "sum", "echo"]) expect(memo.read(writeBytes(text))).toBe(text);
  expect(read).toHaveBeenCalledTimes(2);
});

test("a frame's memory may be used for something else afterwards", () => {
  const memo = new FrameMemo(readBytes);
  const memory = Buffer.from("echo");
  memo.read(memory.subarray());
  memory.write("ecco");
  expect([memo.read(memory.subarray()), memo.read(writeBytes("echo"))]).toEqual(["ecco", "echo"]);
});

test("a frame of more than 128 bytes is read each time", () => {
  const read = vi.fn(readBytes);
  const memo = new FrameMemo(read);
  for (const length of [128, 128, 129, 129]) memo.read(writeBytes("x".repeat(length)));
  expect(read).toHaveBeenCalledTimes(3);
});

test("names are read one after the other as each alone, whatever the last one was", () => {
  const names = fc.array(fc.uint8Array({ maxLength: 3, max: 2 }));
  fc.assert(
    fc.property(names, (frames) => {
      const last = new LastName();
      for (const frame of frames) expect(last.read(frame)).toBe(readBytes(frame));
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

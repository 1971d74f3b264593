import { beforeEach, describe, expect, test } from "vitest";
import { SKIP } from "./frame-reader.ts";
import { checkCommand, MessageAssembler } from "./message-assembler.ts";
import { COMMAND, MAX_COMMAND_BYTES, MORE } from "./wire.ts";

const LIMITS = { maxFrameBytes: 1_000, maxMessageBytes: 1_500, maxFrames: 4, skipsOversized: true };
/** The memory of a frame besides its content. */
const FRAME_BYTES = 200;

let assembler: MessageAssembler;

beforeEach(() => {
  assembler = new MessageAssembler(LIMITS);
});

/** Adds a frame as the reader does. @returns the lengths of the frames of a message that it ends */
function add(flags: number, bytes: number): number[] | undefined {
  const verdict = assembler.check(flags, bytes);
  const message = assembler.add(flags, verdict === SKIP ? new Uint8Array(0) : new Uint8Array(bytes));
  return message?.map(({ length }) => length);
}

describe("a message in progress", () => {
  test("counts the memory of its frames until it ends", () => {
    expect([assembler.isEmpty, assembler.keptBytes]).toEqual([true, 0]);
    for (let message = 0; message < 2; message++) {
      add(MORE, 100);
      add(MORE, 0);
      expect([assembler.isEmpty, assembler.keptBytes]).toEqual([false, 100 + 2 * FRAME_BYTES]);
      expect(add(0, 50)).toEqual([100, 0, 50]);
      expect([assembler.isEmpty, assembler.keptBytes]).toEqual([true, 0]);
      expect(assembler.takeOversized([])).toBeUndefined();
    }
  });

  test("counts only its small frames once it is too large", () => {
    add(MORE, 900);
    add(MORE, 20);
    add(MORE, 700);
    expect(assembler.keptBytes).toBe(20 + 3 * FRAME_BYTES);
    expect(add(0, 30)).toEqual([0, 20, 0, 30]);
    expect(assembler.takeOversized([])?.detail).toBe("a message of more than 1500 bytes");
    expect([assembler.keptBytes, assembler.takeOversized([])]).toEqual([0, undefined]);
    expect(add(0, 900)).toEqual([900]);
    expect(assembler.takeOversized([])).toBeUndefined();
  });
});

test("a command has no flag MORE, and a bound of its own", () => {
  expect(checkCommand(COMMAND, MAX_COMMAND_BYTES)).toBeUndefined();
  expect(checkCommand(COMMAND, MAX_COMMAND_BYTES + 1)?.code).toBe("FRAME_TOO_LARGE");
  expect(checkCommand(COMMAND | MORE, 1)?.detail).toContain("MORE");
});

import { describe, expect, test } from "vitest";
import {
  display,
  isWellFormed,
  peerId,
  peerIdFromText,
  readBytes,
  readText,
  requestId,
  requestIdFromText,
  serviceName,
  serviceNameFromText,
  writeBytes,
  writeText,
} from "./ids.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test("a request id from text is its UTF-8 bytes", () => {
  expect(requestIdFromText("r1")).toBe("r1");
  expect(requestIdFromText("ö")).toBe("\u00c3\u00b6");
});

describe("a byte string", () => {
  test("holds every byte exactly", () => {
    const bytes = readBytes(EVERY_BYTE);
    expect(bytes).toHaveLength(256);
    expect(bytes.charCodeAt(200)).toBe(200);
    expect(Uint8Array.from(writeBytes(bytes))).toStrictEqual(EVERY_BYTE);
  });

  test("is the text itself for ASCII", () => {
    expect(readBytes(writeText("echo@1.2.3"))).toBe("echo@1.2.3");
    expect(readText(writeBytes("echo@1.2.3"))).toBe("echo@1.2.3");
  });

  test("is read only from its part of a larger buffer", () => {
    const frame = new Uint8Array(EVERY_BYTE.buffer, 65, 3);
    expect(readBytes(frame)).toBe("ABC");
    expect(readText(frame)).toBe("ABC");
  });

  test("may be empty", () => {
    expect(readBytes(writeBytes(""))).toBe("");
  });
});

describe("a name", () => {
  test("made from bytes is those bytes", () => {
    expect(peerId("\u00ff\u0000")).toBe("\u00ff\u0000");
    expect(requestId("__proto__")).toBe("__proto__");
    expect(serviceName("caf\u00c3\u00a9")).toBe("caf\u00c3\u00a9");
  });

  test("made from text is its UTF-8 bytes", () => {
    expect(serviceNameFromText("café")).toBe("caf\u00c3\u00a9");
    expect(peerIdFromText("€")).toBe("\u00e2\u0082\u00ac");
    expect(serviceNameFromText("echo")).toBe("echo");
  });

  test.each([
    ["", true],
    ["größe \u{1F600}", true],
    ["\ud83d", false],
    ["a\ude00b", false],
    ["\ude00\ud83d", false],
  ])("%j can be written as UTF-8: %s", (text, is) => {
    expect(isWellFormed(text)).toBe(is);
  });

  test("made from half a character is well-formed", () => {
    expect(peerIdFromText("\ud800")).toBe("\u00ef\u00bf\u00bd");
  });
});

describe("the display text of a name", () => {
  test("is its text if the name is UTF-8", () => {
    expect(display("echo")).toBe("echo");
    expect(display(serviceNameFromText("café €"))).toBe("café €");
  });

  test("is some text if the name is not UTF-8", () => {
    expect(display("a\u00ffb")).toBe("a\ufffdb");
  });
});

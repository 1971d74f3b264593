import { writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { DIALECTS, FRAMES_FORMAT } from "./dialect.ts";

test.each(["mdp02", "mdp01"] as const)(
  "D-PEER-4: a handler of %s gets several frames as bytes, and sends them on",
  (name) => {
    const { readData, format } = DIALECTS[name];
    const frames = ["200", "", "text"].map(writeText);
    expect(readData(frames)).toEqual(frames);
    expect(format.final(readData(frames))).toEqual(frames);
    expect(readData(frames.slice(0, 1))).toBe(200);
    expect(readData(frames.slice(2))).toBe("text");
  },
);

test("P-DSP-3, P-REP-10: a PIGATO handler gets frames as bytes, and sends bytes as frames", () => {
  const { readData, format } = DIALECTS.pigato;
  const frames = ["200", "", "text"].map(writeText);
  expect(readData(frames, true)).toEqual(frames);
  expect(readData([writeText("text")], true)).toBe("text");
  expect(FRAMES_FORMAT.final(frames)).toEqual(frames);
  expect(FRAMES_FORMAT.chunk(frames)).toEqual(frames);
  expect(FRAMES_FORMAT.chunk(writeText("text"))).toEqual([writeText("text")]);
  expect(FRAMES_FORMAT.final({ a: 1 })).toEqual([writeText('{"a":1}')]);
  expect(() => FRAMES_FORMAT.chunk(null)).toThrow("null");
  // For any other request, bytes are JSON, as classic peers send them.
  expect(format.final([Buffer.from("a")])).toEqual([writeText('[{"type":"Buffer","data":[97]}]')]);
});

import { writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { DIALECTS } from "./dialect.ts";

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

import { describe, expect, test } from "vitest";
import { writeBytes } from "../../ids.ts";
import { CLIENT_TAG, isTag, readType, TYPE, typeFrame } from "./wire.ts";

describe("a type frame", () => {
  test("decodes to the type that was encoded", () => {
    for (const type of Object.values(TYPE)) expect(readType(typeFrame(type))).toBe(type);
  });

  test("is the number in ASCII digits", () => {
    expect(Buffer.from(typeFrame(TYPE.READY)).toString()).toBe("1");
    expect(Buffer.from(typeFrame(TYPE.NOTICE)).toString()).toBe("12");
  });

  test.each(["", "0", "00", "01", "16", "1/", "1:", "20", "100", "-1", " 1", "1 ", "\u0001", ":", "/", "x"])(
    "is not %j",
    (bytes) => {
      expect(readType(writeBytes(bytes))).toBe(0);
    },
  );

  test("may be missing", () => {
    expect(readType(undefined)).toBe(0);
  });
});

test("a tag is one byte", () => {
  expect(isTag(writeBytes("C"), CLIENT_TAG)).toBe(true);
  for (const frame of ["", "W", "CC", "c"]) expect(isTag(writeBytes(frame), CLIENT_TAG)).toBe(false);
  expect(isTag(undefined, CLIENT_TAG)).toBe(false);
});

import { describe, expect, test } from "vitest";
import { writeText } from "./ids.ts";
import { MAX_CACHE_MS, readCacheMs } from "./reply-options.ts";
import { MAX_OPTIONS_BYTES } from "./request-options.ts";

describe("the cache time of a reply", () => {
  test.each([
    ['{"cache":1000}', 1_000],
    ['{"other":[1],"cache":0.5}', 0.5],
    [' {"\\u0063ache":7}', 7],
    [`{"cache":${MAX_CACHE_MS}}`, MAX_CACHE_MS],
    ['{"cache":1e300}', MAX_CACHE_MS],
  ])("%s is read", (text, expected) => {
    expect(readCacheMs(writeText(text))).toBe(expected);
  });

  test.each([
    "",
    "{}",
    "null",
    "undefined",
    "7",
    '"cache"',
    '["cache"]',
    "{cache:1}",
    '{"cache":0}',
    '{"cache":-1}',
    '{"cache":"1000"}',
    '{"cache":true}',
    '{"cache":null}',
    '{"Cache":1000}',
    '{"other":{"cache":1000}}',
    '{"__proto__":{"cache":1000}}',
  ])("%j says nothing", (text) => {
    expect(readCacheMs(writeText(text))).toBeUndefined();
  });

  test("missing options and too long options set no cache time", () => {
    expect(readCacheMs(undefined)).toBeUndefined();
    const text = '{"cache":1000}';
    expect(readCacheMs(writeText(text.padEnd(MAX_OPTIONS_BYTES)))).toBe(1_000);
    expect(readCacheMs(writeText(text.padEnd(MAX_OPTIONS_BYTES + 1)))).toBeUndefined();
  });
});

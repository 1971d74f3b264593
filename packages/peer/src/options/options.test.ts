import { UsageError } from "@pigato/protocol";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bit,
  boolean,
  callable,
  choice,
  custom,
  integer,
  milliseconds,
  type Option,
  objectWith,
  optionalCallable,
  type StrictOption,
  strict,
  text,
} from "./option.ts";
import { type OptionsOf, resolveOptions, type SettingsOf } from "./resolve.ts";

class Schema {
  readonly heartbeatLiveness: Option<number> = integer({ min: 2, max: 100, default: 3, help: "silent intervals" });
  readonly timeoutMs: Option<number> = milliseconds({ min: 0, max: 1_000, default: 0.5 });
  readonly verbose: Option<boolean> = boolean({ default: false, help: "say more" });
  readonly retry: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  readonly mode: Option<"load" | "lru"> = choice({ choices: ["load", "lru"], default: "load", help: "which" });
  readonly prefix: Option<string> = text({
    expected: "text of 1 to 3 characters",
    isValid: ({ length }) => length >= 1 && length <= 3,
    makeDefault: () => "new",
  });
  readonly log: Option<{ info(): void }> = objectWith({ methods: ["info"], default: { info: () => {} } });
  readonly random: Option<() => number> = callable({ default: () => 0.5 });
  readonly onStart: Option<() => void, (() => void) | undefined> = optionalCallable();
  readonly channel: Option<string | false> = custom({
    expected: "an address or false",
    read: (value) => (value === false || typeof value === "string" ? value : undefined),
    makeDefault: () => "ipc://x",
    help: "an address, or none",
    fromText: (given) => (given === "none" ? false : given),
  });
  readonly key: StrictOption<string, string | undefined> = strict(
    custom<string, string | undefined>({
      expected: "a key",
      read: (value) => (typeof value === "string" ? value : undefined),
      default: undefined,
    }),
  );
}

const SCHEMA = new Schema();
const resolve = (input: object) => resolveOptions("a peer", SCHEMA, input);

describe("an option", () => {
  test("is read from text, as a flag or an environment variable has it", () => {
    const { heartbeatLiveness, timeoutMs, verbose } = SCHEMA;
    expect(["5", " 5 ", "5.5", "0x10", "", "five"].map((given) => heartbeatLiveness.fromText?.(given))).toEqual([
      5,
      5,
      5.5,
      16,
      undefined,
      undefined,
    ]);
    expect(timeoutMs.fromText?.("0.5")).toBe(0.5);
    expect(["true", "false", "1"].map((given) => verbose.fromText?.(given))).toEqual([true, false, undefined]);
  });
});

describe("options", () => {
  test("have their defaults for missing and undefined values", () => {
    expect(resolve({ heartbeatLiveness: undefined })).toMatchObject({
      heartbeatLiveness: 3,
      timeoutMs: 0.5,
      verbose: false,
      retry: false,
      mode: "load",
      prefix: "new",
      onStart: undefined,
      channel: "ipc://x",
    });
  });

  test("keep given values, in the form that the code reads", () => {
    const given = { heartbeatLiveness: 2, retry: 1, mode: "lru", channel: false };
    expect(resolve(given)).toMatchObject({ ...given, retry: true });
  });

  test("have the types of their declarations", () => {
    expectTypeOf<OptionsOf<Schema>["retry"]>().toEqualTypeOf<boolean | 0 | 1 | undefined>();
    expectTypeOf<OptionsOf<Schema>["mode"]>().toEqualTypeOf<"load" | "lru" | undefined>();
    expectTypeOf<SettingsOf<Schema>["retry"]>().toEqualTypeOf<boolean>();
    expectTypeOf<SettingsOf<Schema>["onStart"]>().toEqualTypeOf<(() => void) | undefined>();
    expectTypeOf<SettingsOf<Schema>["key"]>().toEqualTypeOf<string | undefined>();
  });

  test.each([
    [{ heartbeatLiveness: 1 }, "heartbeatLiveness must be an integer from 2 to 100, not 1"],
    [{ heartbeatLiveness: 2.5 }, "heartbeatLiveness must be an integer from 2 to 100, not 2.5"],
    [{ heartbeatLiveness: Number.NaN }, "heartbeatLiveness must be an integer from 2 to 100, not NaN"],
    [{ heartbeatLiveness: "3" }, "heartbeatLiveness must be an integer from 2 to 100, not '3'"],
    [{ timeoutMs: 1_001 }, "timeoutMs must be a number of milliseconds from 0 to 1000, not 1001"],
    [{ verbose: 1 }, "verbose must be true or false, not 1"],
    [{ retry: 2 }, "retry must be true, false, 0 or 1, not 2"],
    [{ mode: "fast" }, "mode must be one of load, lru, not 'fast'"],
    [{ prefix: "" }, "prefix must be text of 1 to 3 characters, not ''"],
    [{ log: {} }, "log must be an object with info(), not {}"],
    [{ random: 1 }, "random must be a function, not 1"],
    [{ onStart: null }, "onStart must be a function, not null"],
    [{ channel: 5 }, "channel must be an address or false, not 5"],
    [{ key: undefined }, "key is undefined: leave it out, or give it a value"],
    [{ heartbeatLivenes: 3 }, 'a peer has no option "heartbeatLivenes": did you mean "heartbeatLiveness"?'],
    [{ toString: 3 }, 'a peer has no option "toString": it has channel, heartbeatLiveness, key, log,'],
  ])("reject %o with the reason", (input, message) => {
    expect(() => resolve(input)).toThrow(UsageError);
    expect(() => resolve(input)).toThrow(message);
  });

  test("show no value of a strict option in an error", () => {
    expect(() => resolve({ key: 12345 })).toThrow(/^key must be a key$/);
  });

  test("reject a value that is not an object", () => {
    expect(() => resolveOptions("a peer", SCHEMA, JSON.parse("5"))).toThrow(
      "the options of a peer must be an object, not 5",
    );
  });
});

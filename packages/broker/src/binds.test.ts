import { describe, expect, test } from "vitest";
import { doorsOf } from "./binds.ts";
import { MAX_DOORS } from "./core/peer-names.ts";

describe("binds", () => {
  test("that are alike share a door, others have their own", () => {
    const doors = doorsOf(["tcp://a", { address: "tcp://b", dialect: "omdp" }, "tcp://c", { address: "tcp://d" }]);
    expect(doors.map(({ addresses }) => addresses)).toEqual([["tcp://a", "tcp://c", "tcp://d"], ["tcp://b"]]);
  });

  test("of two sides let in one role each", () => {
    const doors = doorsOf({ frontend: ["tcp://a", "tcp://b"], backend: "tcp://c" });
    expect(doors.map(({ addresses, role }) => [role, addresses])).toEqual([
      ["client", ["tcp://a", "tcp://b"]],
      ["worker", ["tcp://c"]],
    ]);
  });

  test("D-DET-5: read omdp in place of PIGATO, or butler's workers, only where they say so", () => {
    const ids = (dialect?: "omdp" | "butler") =>
      doorsOf({ address: "tcp://a", ...(dialect && { dialect }) })[0]?.dialects.map(({ id }) => id);
    expect(ids()).toEqual(["pigato", "mdp02", "mdp01", "mdp02-delimited", "mdp02-digits", "mdp02-majortomo", "butler"]);
    expect(ids("omdp")).toEqual(["omdp", ...(ids()?.slice(1) ?? [])]);
    const ready = [Uint8Array.of(1), Uint8Array.of(65)];
    const reads = (dialect?: "butler") =>
      doorsOf({ address: "tcp://a", ...(dialect && { dialect }) })[0]?.dialects.some((one) => one.detect(ready));
    expect([reads(), reads("butler")]).toEqual([false, true]);
  });

  test("are of so many kinds at most", () => {
    const kinds = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ address: `tcp://${index}`, timeoutMs: index + 1 }));
    expect(doorsOf(kinds(MAX_DOORS))).toHaveLength(MAX_DOORS);
    expect(() => doorsOf(kinds(MAX_DOORS + 1))).toThrow(/at most 16 kinds of binds, not 17/);
  });

  test.each([
    ["no address", [], /one or more addresses/],
    ["an empty one", { address: "" }, /one or more addresses/],
    ["no address of one side", { frontend: [], backend: [] }, /one or more addresses/],
    ["a timeout of no milliseconds", { address: "tcp://a", timeoutMs: 0 }, /timeoutMs is a whole number/],
    ["one that never comes", { address: "tcp://a", timeoutMs: Number.POSITIVE_INFINITY }, /timeoutMs is a whole/],
  ])("with %s are refused", (_what, where, why) => {
    expect(() => doorsOf(where)).toThrow(why);
  });

  test.each([
    ['{"address":"tcp://a","dialect":"picom"}', /dialect is "omdp" or "butler", not "picom"/],
    ['{"address":"tcp://a","colour":"red"}', /no setting "colour"/],
    ['{"address":"tcp://a","answersErrors":"yes"}', /answersErrors is true or false, not "yes"/],
    ["7", /one or more addresses/],
    ['{"frontend":"tcp://a"}', /one or more addresses/],
    ["null", /one or more addresses/],
  ])("as JavaScript may give them, %s, are refused", (text, why) => {
    expect(() => doorsOf(JSON.parse(text))).toThrow(why);
  });
});

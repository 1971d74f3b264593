import { describe, expect, test } from "vitest";
import { BIND_SCHEMA, type Bind, listenersOf, readBind } from "./binds.ts";
import { MAX_LISTENERS } from "./core/peer-names.ts";

describe("binds", () => {
  test("binds with equal settings share a listener, others have their own", () => {
    const listeners = listenersOf([
      "tcp://a",
      { address: "tcp://b", dialect: "omdp" },
      "tcp://c",
      { address: "tcp://d" },
    ]);
    expect(listeners.map(({ addresses }) => addresses)).toEqual([["tcp://a", "tcp://c", "tcp://d"], ["tcp://b"]]);
  });

  test("a frontend serves clients only, and a backend workers only", () => {
    const listeners = listenersOf({ frontend: ["tcp://a", "tcp://b"], backend: "tcp://c" });
    expect(listeners.map(({ addresses, role }) => [role, addresses])).toEqual([
      ["client", ["tcp://a", "tcp://b"]],
      ["worker", ["tcp://c"]],
    ]);
  });

  test("D-DET-5: a bind reads omdp in place of PIGATO, or butler workers, only with that dialect", () => {
    const ids = (dialect?: "omdp" | "butler") =>
      listenersOf({ address: "tcp://a", ...(dialect && { dialect }) })[0]?.dialects.map(({ id }) => id);
    expect(ids()).toEqual(["pigato", "mdp02", "mdp01", "mdp02-delimited", "mdp02-digits", "mdp02-majortomo", "butler"]);
    expect(ids("omdp")).toEqual(["omdp", ...(ids()?.slice(1) ?? [])]);
    const ready = [Uint8Array.of(1), Uint8Array.of(65)];
    const reads = (dialect?: "butler") =>
      listenersOf({ address: "tcp://a", ...(dialect && { dialect }) })[0]?.dialects.some((one) => one.detect(ready));
    expect([reads(), reads("butler")]).toEqual([false, true]);
  });

  test("a broker has a maximum number of listeners", () => {
    const kinds = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ address: `tcp://${index}`, timeoutMs: index + 1 }));
    expect(listenersOf(kinds(MAX_LISTENERS))).toHaveLength(MAX_LISTENERS);
    expect(() => listenersOf(kinds(MAX_LISTENERS + 1))).toThrow(/at most 16 addresses with different settings, not 17/);
  });

  test.each([
    ["no address", [], /at least one address/],
    ["an empty one", { address: "" }, /at least one address/],
    ["no frontend address", { frontend: [], backend: [] }, /at least one address/],
    ["a timeout of no milliseconds", { address: "tcp://a", timeoutMs: 0 }, /timeoutMs must be an integer/],
    [
      "a timeout of Infinity",
      { address: "tcp://a", timeoutMs: Number.POSITIVE_INFINITY },
      /timeoutMs must be an integer/,
    ],
  ])("binds with %s are rejected", (_what, where, why) => {
    expect(() => listenersOf(where)).toThrow(why);
  });

  test.each([
    ['{"address":"tcp://a","dialect":"picom"}', /dialect must be one of omdp, butler, not 'picom'/],
    ['{"address":"tcp://a","color":"red"}', /a bind has no option "color"/],
    ['{"address":"tcp://a","answersErrors":"yes"}', /answersErrors must be true or false, not 'yes'/],
    ["7", /at least one address/],
    [
      '"localhost:55555"',
      /an address to listen at must be text such as tcp:\/\/\*:55555, with a scheme, not 'localhost:55555'/,
    ],
    ['{"address":"tcp:/*:55555"}', /an address to listen at must be/],
    ['{"frontend":"tcp://a"}', /frontend and backend of a broker require each other/],
    [
      '{"frontend":"tcp://a","backnd":"tcp://b"}',
      /\{ frontend, backend \} has no option "backnd": did you mean "backend"\?/,
    ],
    ['{"fronted":"tcp://a","bakend":"tcp://b"}', /a bind has no option "fronted": did you mean "frontend"\?/],
    ['{"adress":"tcp://a"}', /a bind has no option "adress": did you mean "address"\?/],
    [
      '{"frontend":"tcp://a","backend":"tcp://b","dialect":"omdp"}',
      /\{ frontend, backend \} has no option "dialect": it has backend, frontend/,
    ],
    ["null", /at least one address/],
  ])("binds as JavaScript may pass them, %s, are rejected", (text, why) => {
    expect(() => listenersOf(JSON.parse(text))).toThrow(why);
  });
});

describe("a bind as text", () => {
  test("text without settings is an address", () => {
    expect(readBind("tcp://*:55555")).toBe("tcp://*:55555");
  });

  test.each<[string, Bind]>([
    ["tcp://*:1?dialect=omdp", { address: "tcp://*:1", dialect: "omdp" }],
    ["ipc:///tmp/x?dialect=butler&timeoutMs=5000", { address: "ipc:///tmp/x", dialect: "butler", timeoutMs: 5_000 }],
    ["tcp://*:1?answersErrors=true", { address: "tcp://*:1", answersErrors: true }],
    ["tcp://*:1?answersErrors=false", { address: "tcp://*:1", answersErrors: false }],
  ])("%s is an address with settings", (text, bind) => {
    expect(readBind(text)).toEqual(bind);
  });

  test("every setting of a bind can be written as text", () => {
    const all = { dialect: "omdp", answersErrors: true, timeoutMs: 7 } satisfies Omit<Required<Bind>, "address">;
    const text = Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .join("&");
    expect(Object.keys(all)).toEqual(Object.keys(BIND_SCHEMA));
    expect(readBind(`tcp://*:1?${text}`)).toEqual({ address: "tcp://*:1", ...all });
  });

  test.each([
    ["tcp://*:1?dialect=picom", /one of omdp, butler, not 'picom'/],
    ["tcp://*:1?answersErrors=yes", /true or false, not 'yes'/],
    ["tcp://*:1?timeoutMs=soon", /timeoutMs must be an integer from 1 to 86400000, not 'soon'/],
    ["tcp://*:1?timeoutMs=", /not ''/],
    ["tcp://*:1?timeoutMs=0", /not 0/],
    ["tcp://*:1?color=red", /no option "color"/],
    ["?dialect=omdp", /at least one address/],
    ["localhost:55555", /an address to listen at must be/],
    ["tcp://*:1?__proto__=x", /no option "__proto__"/],
  ])("%s is rejected", (text, why) => {
    expect(() => readBind(text)).toThrow(why);
  });
});

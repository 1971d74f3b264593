import { expect, test } from "vitest";
import { readBind } from "./bind-text.ts";
import { BIND_SCHEMA, type Bind } from "./binds.ts";

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
  ["tcp://*:1?timeoutMs=soon", /timeoutMs must be an integer from 1 to 86400000, not NaN/],
  ["tcp://*:1?timeoutMs=", /not ''/],
  ["tcp://*:1?timeoutMs=0", /not 0/],
  ["tcp://*:1?color=red", /no option "color"/],
  ["?dialect=omdp", /at least one address/],
])("%s is rejected", (text, why) => {
  expect(() => readBind(text)).toThrow(why);
});

import { expect, test } from "vitest";
import { readBind } from "./bind-text.ts";
import { BIND_SETTINGS, type Bind } from "./binds.ts";

test("an address is an address", () => {
  expect(readBind("tcp://*:55555")).toBe("tcp://*:55555");
});

test.each<[string, Bind]>([
  ["tcp://*:1?dialect=omdp", { address: "tcp://*:1", dialect: "omdp" }],
  ["ipc:///tmp/x?dialect=butler&timeoutMs=5000", { address: "ipc:///tmp/x", dialect: "butler", timeoutMs: 5_000 }],
  ["tcp://*:1?answersErrors=true", { address: "tcp://*:1", answersErrors: true }],
  ["tcp://*:1?answersErrors=false", { address: "tcp://*:1", answersErrors: false }],
])("%s says more", (text, bind) => {
  expect(readBind(text)).toEqual(bind);
});

test("every setting of a bind has its text", () => {
  const all = { dialect: "omdp", answersErrors: true, timeoutMs: 7 } satisfies Omit<Required<Bind>, "address">;
  const text = BIND_SETTINGS.map((name) => `${name}=${all[name]}`).join("&");
  expect(readBind(`tcp://*:1?${text}`)).toEqual({ address: "tcp://*:1", ...all });
});

test.each([
  ["tcp://*:1?dialect=picom", /omdp or butler, not "picom"/],
  ["tcp://*:1?answersErrors=yes", /true or false, not "yes"/],
  ["tcp://*:1?timeoutMs=soon", /timeoutMs is a whole number from 1 to 86400000, not NaN/],
  ["tcp://*:1?timeoutMs=", /not NaN/],
  ["tcp://*:1?timeoutMs=0", /not 0/],
  ["tcp://*:1?color=red", /no setting "color"/],
  ["?dialect=omdp", /one or more addresses/],
])("%s is refused", (text, why) => {
  expect(() => readBind(text)).toThrow(why);
});

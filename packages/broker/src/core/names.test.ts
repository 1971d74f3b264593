import { serviceName } from "@pigato/protocol";
import { expect, test } from "vitest";
import { covers, prefixIn, rangeIn, versionIn } from "./names.ts";

test("three numbers after the last @ are a version, and any other text there is a range", () => {
  expect(read("echo@1.2.3")).toEqual({ version: "echo 1.2.3" });
  expect(read("@scope/echo@1.2.3")).toEqual({ version: "@scope/echo 1.2.3" });
  expect(read("a@1.2.3@^1")).toEqual({ range: "a@1.2.3 ^1" });
  for (const range of [
    "^1",
    "~1.2",
    "*",
    "1.2.3-beta",
    "1.2.3+7",
    "v1.2.3",
    "01.2.3",
    "1.2.3 ",
    "99999999999999999.0.0",
  ]) {
    expect(read(`echo@${range}`)).toEqual({ range: `echo ${range}` });
  }
});

test("a name with nothing before or after the @ is neither a version nor a range", () => {
  for (const name of ["echo", "@1.2.3", "@^1", "echo@", "@", "", "\u00ff\u0000"]) expect(read(name)).toEqual({});
});

test("a wildcard is a name that ends with a star", () => {
  expect(prefixIn(serviceName("ech*"))).toBe("ech");
  expect(prefixIn(serviceName("*"))).toBe("");
  expect(prefixIn(serviceName("e**"))).toBe("e*");
  for (const name of ["e*h", "*echo", ""]) expect(prefixIn(serviceName(name))).toBeUndefined();
});

test.each([
  ["echo", "echo", true],
  ["echo", "echo-a", false],
  ["ech*", "ech", true],
  ["ech*", "echo@^1", true],
  ["ech*", "ec", false],
  ["ech*", "ech*", true],
  ["echo@1.2.3", "echo@^1", true],
  ["echo@1.2.3", "echo@<1.2.3 || >2", false],
  ["echo@1.2.3", "echo@1.2.3", true],
  ["echo@1.2.3", "echo", false],
  ["echo@1.2.3", "echo@no range", false],
  ["sum@1.2.3", "echo@^1", false],
  ["echo@^1", "echo@1.2.3", false],
  ["echo@1.2.3-beta", "echo@>=1.2.3-alpha", false],
])("whether %s covers %s: %s", (offered, wanted, does) => {
  expect(covers(serviceName(offered), serviceName(wanted), rangeIn(serviceName(wanted)))).toBe(does);
});

test("a range is parsed once, and only if it has at most 64 bytes", () => {
  const rangeOf = (text: string) => rangeIn(serviceName(`echo@${text}`));
  const range = rangeOf("^1");
  expect(range?.range).toBeDefined();
  expect(range?.range).toBe(range?.range);
  expect(rangeOf(`1${" ".repeat(63)}`)?.range).toBeDefined();
  expect(rangeOf(`1${" ".repeat(64)}`)?.range).toBeUndefined();
});

function read(text: string): { version?: string; range?: string } {
  const one = versionIn(serviceName(text));
  const any = rangeIn(serviceName(text));
  return {
    ...(one && { version: `${one.base} ${one.version.version}` }),
    ...(any && { range: `${any.base} ${any.text}` }),
  };
}

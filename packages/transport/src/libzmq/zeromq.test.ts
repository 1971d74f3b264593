import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { zeromq } from "./zeromq.ts";

function fail(message: string): never {
  throw new Error(message);
}

test("the package that is not installed is named with the command that installs it", () => {
  const load = Object.assign(() => fail("Cannot find module 'zeromq'"), {
    resolve: () => fail("Cannot find module 'zeromq'"),
  });
  expect(() => zeromq(load)).toThrow(
    expect.objectContaining({
      name: "LinkError",
      code: "MISSING_PACKAGE",
      message: expect.stringContaining('"zeromq" is not installed: run `npm install zeromq`'),
      cause: expect.objectContaining({ message: "Cannot find module 'zeromq'" }),
    }),
  );
});

test("the package whose binary does not load is not reported as missing", () => {
  const load = Object.assign(() => fail("GLIBC_2.38 not found"), { resolve: () => "/app/node_modules/zeromq" });
  expect(() => zeromq(load)).toThrow(
    expect.objectContaining({ code: "FAILED", message: expect.stringContaining("GLIBC_2.38 not found") }),
  );
});

test.each([
  ["bun", "Bun"],
  ["deno", "Deno"],
])("the package is not loaded by %s, where it does not work", (name, runtime) => {
  const load = Object.assign(() => fail("loaded"), { resolve: () => "/app/node_modules/zeromq" });
  expect(() => zeromq(load, { ...process.versions, [name]: "1.0.0" })).toThrow(
    expect.objectContaining({ code: "FAILED", message: expect.stringContaining(`does not work in ${runtime}`) }),
  );
});

test("the installed package is loaded", () => {
  expect(zeromq()).toBe(createRequire(import.meta.url)("zeromq"));
});

import { expect, test } from "vitest";
import type { Transport } from "./link.ts";
import { automatic, libzmq, resolveTransport, zmtp } from "./transports.ts";

const unused = (): never => {
  throw new Error("not used here");
};

test("the option `transport` is a name, any other transport, or absent for the automatic one", () => {
  expect(resolveTransport(undefined)).toBe(automatic);
  expect(resolveTransport("libzmq")).toBe(libzmq);
  expect(resolveTransport("zmtp")).toBe(zmtp);
  const own: Transport = { router: unused, dealer: unused, publisher: unused, subscriber: unused };
  expect(resolveTransport(own)).toBe(own);
});

test.each(["tcp", "", 1, null, {}, { router: unused }, { dealer: unused }])(
  "the option `transport` is not %o",
  (choice) => {
    expect(resolveTransport(choice)).toBeUndefined();
  },
);

test("only transports that support security say so", () => {
  expect([automatic, libzmq, zmtp].map(({ isSecurable = false }) => isSecurable)).toEqual([
    true,
    true,
    "without-curve",
  ]);
});

import { expect, test } from "vitest";
import { HeaderMap } from "./header-map.ts";

test("the bound of headers counts what is in them, and makes room for what is replaced or removed", () => {
  const headers = new HeaderMap();
  const most = "x".repeat(8_190);
  headers.set("A", "1").set("b", most.slice(1)).set("a", "2");
  expect(() => headers.set("c", "")).toThrow('the header "c" does not fit');
  expect(headers.delete("none")).toBe(false);
  expect(() => headers.set("c", "")).toThrow("does not fit");
  expect(headers.delete("B")).toBe(true);
  headers.set("c", most.slice(1)).clear();
  headers.set("ab", most);
  expect([...headers.keys()]).toEqual(["ab"]);
});

test("a header is added without a look at all others", () => {
  const headers = new HeaderMap();
  const scan = (): never => {
    throw new Error("all headers were read");
  };
  Object.defineProperty(headers, Symbol.iterator, { value: scan });
  for (let count = 0; count < 1_000; count++) headers.set(`h${count}`, "x");
  expect(headers.size).toBe(1_000);
});

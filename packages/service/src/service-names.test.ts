import { expect, test } from "vitest";
import { checkNoRange, ServiceNames } from "./service-names.ts";

function namesOf(...names: readonly string[]): ServiceNames<string> {
  const services = new ServiceNames<string>();
  for (const name of names) services.add(name, name);
  return services;
}

test("a name leads to its own service, else to the highest version within its range, else to the longest wildcard", () => {
  const services = namesOf("sum", "sum@1.2.0", "sum@1.10.0", "sum@2.0.0-beta", "s*", "su*", "*");
  const asked = ["sum", "sum@1.2.0", "sum@^1", "sum@<1.5", "sum@3", "sum@&", "sun", "sa", "other", "@1", ""];
  expect(asked.map((name) => services.find(name))).toEqual([
    ...["sum", "sum@1.2.0", "sum@1.10.0", "sum@1.2.0", "su*", "su*", "su*", "s*", "*", "*", "*"],
  ]);
});

test("a service that is added later is found under names that led to another one", () => {
  const services = namesOf("other", "s*");
  expect(services.find("sum")).toBe("s*");
  services.add("su*", "su*");
  expect(services.find("sum")).toBe("su*");
});

test("a name that no service covers leads to none, unless there is only one service", () => {
  expect(namesOf("echo", "sum").find("stock")).toBeUndefined();
  expect(namesOf("echo").find("stock")).toBe("echo");
});

test("many different names are found", () => {
  const services = namesOf("s*", "t*");
  for (let index = 0; index < 2_500; index++) expect(services.find(`s${index}`)).toBe("s*");
});

test.each(["stocks@^1.2.0", "stocks@~1.2", "@shop/stocks@>=1.2.0 <2.0.0", "stocks@1.2.0 || 2.0.0"])(
  "%s is a range, which no host serves",
  (name) =>
    expect(() => checkNoRange(name)).toThrow(`a host cannot serve "${name}", a range of versions: name the version`),
);

test.each(["stocks", "stocks@1.2.0", "stocks@1", "@shop/stocks", "@^1", "stocks-*", "stocks@~tilde", "", 5, undefined])(
  "%s is no range",
  (name) => expect(() => checkNoRange(name)).not.toThrow(),
);

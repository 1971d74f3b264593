import { serviceName } from "@pigato/protocol";
import { expect, test } from "vitest";
import { MAX_UNUSED_ROUTES, Services } from "./services.ts";
import { SCENARIO_OPTIONS } from "./testing/scenario.ts";

test("where a name leads is found out once", () => {
  const services = new Services(SCENARIO_OPTIONS);
  services.open(serviceName("e*"));
  const route = ask(services, "echo");
  expect(services.route(serviceName("echo"))).toBe(route);
});

test("names without an answer are not kept, however many are asked for", () => {
  const services = new Services(SCENARIO_OPTIONS);
  services.open(serviceName("echo@1.0.0"));
  const own = count(services);
  for (let index = 0; index < 10_000; index++) ask(services, index % 2 === 0 ? `junk ${index}` : `echo@^${index + 2}`);
  expect(count(services)).toBe(own);
  expect([...services.nobody.routes]).toEqual([]);
});

test("of names with an answer only so many are kept, those that were used last", () => {
  const services = new Services(SCENARIO_OPTIONS);
  services.open(serviceName("*"));
  services.open(serviceName("echo@1.0.0"));
  const own = count(services);
  const [first] = [ask(services, "name 0"), ask(services, "name 1")];
  for (let index = 2; index < 20_000; index++) {
    ask(services, index % 2 === 0 ? `name ${index}` : `echo@<${index}`);
    ask(services, "name 0");
  }
  expect(count(services)).toBe(own + MAX_UNUSED_ROUTES);
  expect(services.size).toBe(own);
  expect(ask(services, "name 0")).toBe(first);
  expect(ask(services, "name 19998").name).toBe("name 19998");
});

test("names that lead somewhere no longer are forgotten with what they led to", () => {
  const services = new Services(SCENARIO_OPTIONS);
  const offered = ["*", "echo@1.0.0", "e*"].map((name) => services.open(serviceName(name)));
  for (const name of ["echo@^1", "echo", "else", "some", "echo@^2"]) ask(services, name);
  for (const service of offered) services.close(service);
  expect(count(services)).toBe(0);
  expect(services.size).toBe(0);
});

/** As a request does that ends at once. */
function ask(services: Services, name: string): ReturnType<Services["route"]> {
  const route = services.route(serviceName(name));
  services.release(route);
  return route;
}

function count(services: Services): number {
  return [...services.routes()].length;
}

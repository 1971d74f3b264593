import { type ServiceName, serviceName } from "@pigato/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { covers } from "./names.ts";
import type { Route, Service } from "./queued-request.ts";
import { MAX_CACHED_ROUTES, ServiceTable } from "./service-table.ts";
import { SCENARIO_OPTIONS } from "./testing/scenario.ts";

test("the table resolves the name of a service once", () => {
  const services = new ServiceTable(SCENARIO_OPTIONS);
  services.open(serviceName("e*"));
  const route = ask(services, "echo");
  expect(services.route(serviceName("echo"))).toBe(route);
});

test("the table resolves the name of a service without workers once", () => {
  const services = new ServiceTable(SCENARIO_OPTIONS);
  const route = services.route(serviceName("echo"));
  services.route(serviceName("sum"));
  expect(services.route(serviceName("echo"))).toBe(route);
  const wildcard = services.open(serviceName("e*"));
  expect(services.route(serviceName("echo"))).toBe(route);
  expect(route.service).toBe(wildcard);
});

test("the table caches a bounded number of unused names, and keeps those that are used again", () => {
  const services = new ServiceTable(SCENARIO_OPTIONS);
  for (const name of ["e*", "echo@1.0.0"]) services.open(serviceName(name));
  const again = ["else", "nowhere", "echo@^1"].map((name) => ask(services, name));
  for (let index = 0; index < 20_000; index++) {
    ask(services, [`else ${index}`, `nowhere ${index}`, `echo@<${index}`][index % 3] ?? "");
    for (const { name } of again) ask(services, name);
  }
  expect(count(services)).toBe(2 + MAX_CACHED_ROUTES);
  expect(services.size).toBe(2);
  expect(again.filter((route) => ask(services, route.name) !== route)).toEqual([]);
  expect(services.routesOf(services.unserved).size).toBeGreaterThan(1_000);
  expect(services.routesOf(services.unserved).size).toBeLessThan(MAX_CACHED_ROUTES);
});

test("made-up names evict no name with an open request, and evict each other", () => {
  const services = new ServiceTable(SCENARIO_OPTIONS);
  const open = Array.from({ length: 10_000 }, (_, index) => {
    const route = services.route(serviceName(`open ${index}`));
    services.onOpened(route);
    return route;
  });
  for (let index = 0; index < 10_000; index++) ask(services, `made up ${index}`);
  expect(services.size).toBe(10_000);
  expect(open.filter((route) => services.route(route.name) !== route)).toEqual([]);
  for (const route of open) services.onEnded(route);
  expect(services.size).toBe(0);
  expect(count(services)).toBe(MAX_CACHED_ROUTES);
});

test("every name leads to the right service after any changes, and few names are cached", () => {
  const anyName = fc.constantFrom(
    ...["e*", "echo*", "*", "echo", "else", "echo@1.0.0", "echo@1.2.0", "echo@^1", "echo@<1.2", "no", "nor", "not"],
  );
  const anyStep = fc.tuple(fc.constantFrom("asked", "asked", "begins", "begins", "ends", "opens", "closes"), anyName);
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 20, maxLength: 80, size: "max" }), (steps) => {
      const services = new ServiceTable(SCENARIO_OPTIONS, 2);
      const begun: Route[] = [];
      const offered = new Map<ServiceName, Service>();
      for (const [what, text] of steps) {
        const name = serviceName(text);
        const service = offered.get(name);
        if (what === "asked") ask(services, name);
        if (what === "begins") begun.push(services.route(name));
        if (what === "begins") services.onOpened(services.route(name));
        const route = what === "ends" ? begun.shift() : undefined;
        if (route !== undefined) services.onEnded(route);
        if (what === "opens") offered.set(name, services.open(name));
        if (what === "closes" && service !== undefined) services.close(service);
        if (what === "closes") offered.delete(name);

        const needed = new Set([...begun.map((one) => one.name), ...offered.keys()]);
        const routes = new Set(services.routes());
        const reached = new Set([services.unserved, ...offered.values()].flatMap((one) => [...services.routesOf(one)]));
        expect(services.size).toBe(needed.size);
        expect([...routes].filter((one) => !needed.has(one.name)).length).toBeLessThanOrEqual(2);
        expect([...needed].filter((one) => services.route(one).open + Number(offered.has(one)) === 0)).toEqual([]);
        expect(new Set([...routes, ...reached]).size).toBe(routes.size);
        for (const one of routes) {
          const isServed = [...offered.keys()].some((other) => covers(other, one.name, one.range));
          if (isServed === (one.service === services.unserved)) expect.fail(`${one.name} leads to ${one.service.name}`);
          if (one.isExact !== offered.has(one.name)) expect.fail(`${one.name} is mistaken about being offered`);
          if (!services.routesOf(one.service).has(one)) expect.fail(`${one.service.name} does not know ${one.name}`);
        }
      }
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

/** Like a request that ends at once. */
function ask(services: ServiceTable, name: string): Route {
  const route = services.route(serviceName(name));
  services.onOpened(route);
  services.onEnded(route);
  return route;
}

function count(services: ServiceTable): number {
  return [...services.routes()].length;
}

import { expect, test } from "vitest";
import { CASES } from "./cases.ts";
import { chosen, select, whyMissing } from "./selection.ts";

test("whose server is not installed is left out, and told how to get in", () => {
  const { entries, missing } = select(["nats tuned", "redis", "relay"], (program) => program !== "redis-server");

  expect(entries.map(({ name }) => name)).toEqual(["pigato call", "nats tuned", "relay"]);
  expect(missing.map(whyMissing)).toEqual([
    "redis is left out: redis-server is not installed (apt-get install --no-install-recommends redis-server; " +
      "apps/bench/install-servers.sh installs all)",
  ]);
});

test("everyone plays whom nobody leaves out", () => {
  expect(select(undefined, () => true).entries.map(({ name }) => name)).toEqual([
    "pigato call",
    "pigato callbacks",
    "pigato spinning",
    "pigato libzmq",
    "pigato 0.0.46",
    "nats",
    "nats tuned",
    "moleculer tcp",
    "moleculer nats",
    "grpc",
    "http",
    "rabbitmq",
    "redis",
    "zeromq",
    "relay",
  ]);
});

test("a case that is none is refused with the names of those that are", () => {
  expect(chosen("partials,20 B × 1", CASES)).toEqual(["partials", "20 B × 1"]);
  expect(() => chosen("partials,20 B x 1", CASES)).toThrow(
    /^nothing here is called "20 B x 1"; there are "20 B × 1", /,
  );
});

import { expect, test } from "vitest";
import { CASES } from "./cases.ts";
import { describeMissing, parseNames, selectPeers } from "./select-peers.ts";

test("a peer whose server is not installed is skipped with a line that says how to install it", () => {
  const { entries, missing } = selectPeers(["nats tuned", "redis", "relay"], (program) => program !== "redis-server");

  expect(entries.map(({ name }) => name)).toEqual(["pigato call", "nats tuned", "relay"]);
  expect(missing.map(describeMissing)).toEqual([
    "skipping redis: redis-server is not installed (run apt-get install --no-install-recommends redis-server, " +
      "or apps/bench/install-servers.sh for all servers)",
  ]);
});

test("without a list every peer is selected", () => {
  expect(selectPeers(undefined, () => true).entries.map(({ name }) => name)).toEqual([
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
    "bullmq",
    "zeromq",
    "relay",
  ]);
});

test("an unknown case is rejected with a list of the known ones", () => {
  expect(parseNames("partials,20 B × 1", CASES)).toEqual(["partials", "20 B × 1"]);
  expect(() => parseNames("partials,20 B x 1", CASES)).toThrow(/^unknown name "20 B x 1"; known names: "20 B × 1", /);
});

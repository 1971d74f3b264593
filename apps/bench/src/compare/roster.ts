// Everyone who is measured, in the order of the table. The modules are loaded in the processes that need them.

import type { Peer, Role } from "./peer.ts";

export interface Entry {
  readonly name: string;
  /** What runs, in a few words. */
  readonly title: string;
  /** What of it comes from npm. */
  readonly packages: readonly string[];
  /** The server program it needs, which may not be installed; Debian's package is called the same. */
  readonly needs?: string;
  /** Who is started, in this order, before the client. */
  readonly chain: readonly Role[];
  /** Whether many clients in one process are more than it is made for: a node of a mesh is no connection. */
  readonly oneClient?: boolean;
  readonly load: () => Promise<Peer>;
}

/** What the others are compared with. */
export const BASE = "pigato call";

/** Whom the short form visits: those that there are targets for, and what one would write by hand. */
export const QUICK_PEERS: readonly string[] = ["pigato 0.0.46", "nats tuned", "moleculer tcp", "zeromq", "relay"];

const OWN = ["@pigato/client", "@pigato/broker", "@pigato/worker"] as const;

export const ROSTER: readonly Entry[] = [
  {
    name: BASE,
    title: "pigato, `call()`",
    packages: OWN,
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).calls,
  },
  {
    name: "pigato callbacks",
    title: "pigato, callbacks",
    packages: OWN,
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callbacks,
  },
  {
    name: "pigato spinning",
    title: "pigato, callbacks, `spinMs: 1`",
    packages: OWN,
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callbacksSpinning,
  },
  {
    name: "pigato libzmq",
    title: "pigato over libzmq, `call()`",
    packages: [...OWN, "zeromq"],
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callsOverLibzmq,
  },
  {
    name: "pigato 0.0.46",
    title: "npm `pigato@0.0.46`",
    packages: ["pigato-classic", "zeromq"],
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/classic.ts")).classic,
  },
  {
    name: "nats",
    title: "NATS, `request()`",
    packages: ["nats"],
    needs: "nats-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/nats.ts")).plain,
  },
  {
    name: "nats tuned",
    title: "NATS, one inbox by hand",
    packages: ["nats"],
    needs: "nats-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/nats.ts")).tuned,
  },
  {
    name: "moleculer tcp",
    title: "Moleculer over TCP, no broker",
    packages: ["moleculer"],
    chain: ["worker"],
    oneClient: true,
    load: async () => (await import("./peers/moleculer.ts")).overTcp,
  },
  {
    name: "moleculer nats",
    title: "Moleculer over NATS",
    packages: ["moleculer", "nats"],
    needs: "nats-server",
    chain: ["broker", "worker"],
    oneClient: true,
    load: async () => (await import("./peers/moleculer.ts")).overNats,
  },
  {
    name: "grpc",
    title: "gRPC (`@grpc/grpc-js`), no broker",
    packages: ["@grpc/grpc-js"],
    chain: ["worker"],
    load: async () => (await import("./peers/grpc.ts")).grpc,
  },
  {
    name: "http",
    title: "HTTP, undici, no broker",
    packages: ["undici"],
    chain: ["worker"],
    load: async () => (await import("./peers/http.ts")).http,
  },
  {
    name: "rabbitmq",
    title: "RabbitMQ, direct reply-to",
    packages: ["amqplib"],
    needs: "rabbitmq-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/rabbitmq.ts")).rabbitmq,
  },
  {
    name: "redis",
    title: "Redis, lists",
    packages: ["ioredis"],
    needs: "redis-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/redis.ts")).redis,
  },
  {
    name: "zeromq",
    title: "zeromq.js, ROUTER and DEALER",
    packages: ["zeromq"],
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/zeromq.ts")).zeromq,
  },
  {
    name: "relay",
    title: "byte relay on `node:net` (the limit)",
    packages: [],
    chain: ["worker", "broker"],
    load: async () => (await import("./peers/relay.ts")).relay,
  },
];

/** Not of the comparison: see `pnpm bench against`. */
export const ANY_COMMIT: Entry = {
  name: "pigato of any commit",
  title: "pigato",
  packages: OWN,
  chain: ["broker", "worker"],
  load: async () => (await import("./peers/pigato-of-any-commit.ts")).ofAnyCommit,
};

export function entryNamed(name: string | undefined): Entry {
  const entry = [...ROSTER, ANY_COMMIT].find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`nobody here is called "${name}"`);
  return entry;
}

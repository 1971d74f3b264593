// The peers of the comparison, in the order of the tables. Each process loads the module of its own peer only.

import type { Peer, ServerRole } from "./peer.ts";

export interface PeerEntry {
  readonly name: string;
  /** Shown in tables and charts. */
  readonly title: string;
  /** Its npm packages. */
  readonly packages: readonly string[];
  /** The server program that it needs and that may not be installed. The Debian package has the same name. */
  readonly needs?: string;
  /** The roles to start before the client, in this order. */
  readonly chain: readonly ServerRole[];
  /** Whether it supports only one client per process: each is a node of a mesh, or reads the events of all requests. */
  readonly oneClient?: boolean;
  readonly load: () => Promise<Peer>;
}

/** The peer that the ratios compare with. */
export const BASELINE = "pigato call";

/** The peers of `--quick`: those with a target, and those that one would write by hand. */
export const QUICK_PEERS: readonly string[] = ["pigato 0.0.46", "nats tuned", "moleculer tcp", "zeromq", "relay"];

const OWN = ["@pigato/client", "@pigato/broker", "@pigato/worker"] as const;

export const PEERS: readonly PeerEntry[] = [
  {
    name: BASELINE,
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
    name: "bullmq",
    title: "BullMQ, `waitUntilFinished()`",
    packages: ["bullmq", "ioredis"],
    needs: "redis-server",
    chain: ["broker", "worker"],
    oneClient: true,
    load: async () => (await import("./peers/bullmq.ts")).bullmq,
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

/** For `pnpm bench against`; not part of the comparison. */
export const ANY_COMMIT: PeerEntry = {
  name: "pigato of any commit",
  title: "pigato",
  packages: OWN,
  chain: ["broker", "worker"],
  load: async () => (await import("./peers/pigato-of-any-commit.ts")).ofAnyCommit,
};

export function peerNamed(name: string | undefined): PeerEntry {
  const entry = [...PEERS, ANY_COMMIT].find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`unknown peer "${name}"`);
  return entry;
}

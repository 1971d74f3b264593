// Everyone who is measured, in the order of the table. The modules are loaded in the processes that need them.

import type { Peer, Role } from "./peer.ts";

export interface Entry {
  readonly name: string;
  /** What runs, in a few words. */
  readonly title: string;
  /** The server program it needs, which may not be installed. */
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

export const ROSTER: readonly Entry[] = [
  {
    name: BASE,
    title: "pigato, `call()`",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).calls,
  },
  {
    name: "pigato callbacks",
    title: "pigato, callbacks",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callbacks,
  },
  {
    name: "pigato spinning",
    title: "pigato, callbacks, `spinMs: 1`",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callbacksSpinning,
  },
  {
    name: "pigato libzmq",
    title: "pigato over libzmq, `call()`",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/pigato.ts")).callsOverLibzmq,
  },
  {
    name: "pigato 0.0.46",
    title: "npm `pigato@0.0.46`",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/classic.ts")).classic,
  },
  {
    name: "nats",
    title: "NATS, `request()`",
    needs: "nats-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/nats.ts")).plain,
  },
  {
    name: "nats tuned",
    title: "NATS, one inbox by hand",
    needs: "nats-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/nats.ts")).tuned,
  },
  {
    name: "moleculer tcp",
    title: "Moleculer over TCP, no broker",
    chain: ["worker"],
    oneClient: true,
    load: async () => (await import("./peers/moleculer.ts")).overTcp,
  },
  {
    name: "moleculer nats",
    title: "Moleculer over NATS",
    needs: "nats-server",
    chain: ["broker", "worker"],
    oneClient: true,
    load: async () => (await import("./peers/moleculer.ts")).overNats,
  },
  {
    name: "grpc",
    title: "gRPC (`@grpc/grpc-js`), no broker",
    chain: ["worker"],
    load: async () => (await import("./peers/grpc.ts")).grpc,
  },
  {
    name: "http",
    title: "HTTP, undici, no broker",
    chain: ["worker"],
    load: async () => (await import("./peers/http.ts")).http,
  },
  {
    name: "rabbitmq",
    title: "RabbitMQ, direct reply-to",
    needs: "rabbitmq-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/rabbitmq.ts")).rabbitmq,
  },
  {
    name: "redis",
    title: "Redis, lists",
    needs: "redis-server",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/redis.ts")).redis,
  },
  {
    name: "zeromq",
    title: "zeromq.js, ROUTER and DEALER",
    chain: ["broker", "worker"],
    load: async () => (await import("./peers/zeromq.ts")).zeromq,
  },
  {
    name: "relay",
    title: "byte relay on `node:net` (the limit)",
    chain: ["worker", "broker"],
    load: async () => (await import("./peers/relay.ts")).relay,
  },
];

export function entryNamed(name: string | undefined): Entry {
  const entry = ROSTER.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`nobody here is called "${name}"`);
  return entry;
}

// A mixed load in rounds on a broker, its workers and its clients, each in its own process. After each round all requests
// have ended, and the memory of each process is measured. A leak per request shows as a slope.

import { setTimeout } from "node:timers/promises";
import type { BrokerOptions } from "@pigato/broker";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import type { Memory } from "@pigato/testkit/serve";
import { spawnPeer, spawnProgram } from "../support/spawn.ts";

/** Short, so that many timers fire within a round. */
const HEARTBEAT_MS = 1_000;
const PER_SERVICE = 2;
const SETTLED_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 20;

export interface Round {
  /** Requests sent so far. */
  readonly requests: number;
  /** The memory of each process, by its name. */
  readonly memory: ReadonlyMap<string, Memory>;
  /** The number of requests of this round, by outcome. */
  readonly ends: Readonly<Record<string, number>>;
  /** The sizes of the broker's tables, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

export interface Load {
  /** Requests of a round. */
  readonly count: number;
  /** The maximum rate per second. */
  readonly perSecond: number;
  /** Workers that are replaced during a round. */
  readonly replaced: number;
}

interface Members {
  readonly broker: PeerProcess;
  readonly workers: PeerProcess;
  readonly clients: PeerProcess;
}

export class Endurance {
  readonly #members: Members;
  readonly #address: string;
  /** Workers whose process is killed in every round. */
  #victim: PeerProcess;
  #requests = 0;

  static async start(): Promise<Endurance> {
    const broker = await spawnBrokerMember({ heartbeat: HEARTBEAT_MS, maxRequests: 10_000 });
    const { address } = await broker.request<{ readonly address: string }>("address");
    const settings = { address, heartbeat: HEARTBEAT_MS, perService: PER_SERVICE };
    const workers = await spawnMember("workers", settings);
    const victim = await spawnVictim(address);
    const clients = await spawnMember("clients", settings);
    return new Endurance({ broker, workers, clients }, address, victim);
  }

  private constructor(members: Members, address: string, victim: PeerProcess) {
    this.#members = members;
    this.#address = address;
    this.#victim = victim;
  }

  /** One round: replaces workers and kills a process of workers meanwhile. Resolves when all requests have ended. */
  async round({ count, perSecond, replaced }: Load): Promise<Round> {
    const { workers, clients } = this.#members;
    const before = await this.#tables();
    const running = clients.request<Record<string, number>>("run", JSON.stringify({ count, perSecond }));
    await workers.request("replace", replaced);
    await this.#victim.kill();
    this.#victim = await spawnVictim(this.#address);
    const ends = await running;
    this.#requests += count;
    const tables = await this.#settled(before.workers ?? 0);
    const memory = new Map<string, Memory>();
    for (const [name, member] of Object.entries(this.#members)) memory.set(name, await member.request("memory"));
    return { requests: this.#requests, memory, ends, tables };
  }

  async stop(): Promise<void> {
    const { broker, workers, clients } = this.#members;
    await Promise.all([clients, workers, this.#victim, broker].map((member) => member.kill()));
  }

  /** Waits until no request is open and the stopped peers are gone. */
  async #settled(workers: number): Promise<Readonly<Record<string, number>>> {
    const late = AbortSignal.timeout(SETTLED_WITHIN_MS);
    for (;;) {
      const tables = await this.#tables();
      if (tables.open === 0 && tables.workers === workers) return tables;
      await setTimeout(LOOK_AGAIN_MS);
      if (late.aborted) throw new Error(`the broker does not settle: ${JSON.stringify(tables)}`);
    }
  }

  #tables(): Promise<Readonly<Record<string, number>>> {
    return this.#members.broker.request("stats");
  }
}

function spawnVictim(address: string): Promise<PeerProcess> {
  return spawnMember("workers", { address, heartbeat: HEARTBEAT_MS, perService: 1 });
}

/** The unexpected outcomes of requests. */
export function wrongEnds({ ends }: Round): string[] {
  return Object.keys(ends).filter((end) => end.startsWith("wrong"));
}

/** With an exposed garbage collector, so that live memory can be measured. */
const COUNTED = { nodeOptions: ["--expose-gc"] };

export function spawnBrokerMember(options: BrokerOptions = {}): Promise<PeerProcess> {
  return spawnPeer({ role: "broker", options }, COUNTED);
}

export function spawnMember(name: "workers" | "clients" | "dealers", settings: object): Promise<PeerProcess> {
  return spawnProgram(new URL(`./${name}-main.ts`, import.meta.url), settings, COUNTED);
}

// A mixed load on a broker, its workers and its clients, each in a process of its own, that goes on in rounds. After each
// round everything has ended; then what each process holds is counted. What is kept of every request would show as a slope.

import { setTimeout } from "node:timers/promises";
import { Member, type Memory } from "./member.ts";

/** Short, so that much of what is due at some time is due within a round. */
const HEARTBEAT_MS = 1_000;
const PER_SERVICE = 2;
const SETTLED_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 20;

export interface Round {
  /** Requests made so far. */
  readonly requests: number;
  /** What each process holds, by its name. */
  readonly memory: ReadonlyMap<string, Memory>;
  /** How many requests of this round ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
  /** The broker's tables, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

export interface Load {
  /** Requests of a round. */
  readonly count: number;
  /** The most a second. */
  readonly perSecond: number;
  /** Workers that are replaced in the midst of it. */
  readonly replaced: number;
}

export class Endurance {
  readonly #address: string;
  readonly #broker: Member;
  readonly #workers: Member;
  readonly #clients: Member;
  #victim: Member;
  #requests = 0;

  static async start(): Promise<Endurance> {
    const broker = await Member.start("broker-main.ts", { heartbeat: HEARTBEAT_MS, maxRequests: 10_000 });
    const { address }: { address: string } = JSON.parse(await broker.ask("address"));
    const settings = { address, heartbeat: HEARTBEAT_MS, perService: PER_SERVICE };
    const workers = await Member.start("workers-main.ts", settings);
    const victim = await Member.start("workers-main.ts", { ...settings, perService: 1 });
    const clients = await Member.start("clients-main.ts", settings);
    return new Endurance(address, broker, workers, victim, clients);
  }

  private constructor(address: string, broker: Member, workers: Member, victim: Member, clients: Member) {
    this.#address = address;
    this.#broker = broker;
    this.#workers = workers;
    this.#victim = victim;
    this.#clients = clients;
  }

  /** One round: workers are replaced meanwhile, and one process of them is killed. Ends when all has settled. */
  async round({ count, perSecond, replaced }: Load): Promise<Round> {
    const before = await this.#tables();
    const running = this.#clients.ask("run", JSON.stringify({ count, perSecond }));
    await this.#workers.ask("replace", replaced);
    await this.#victim.kill();
    const settings = { address: this.#address, heartbeat: HEARTBEAT_MS, perService: 1 };
    this.#victim = await Member.start("workers-main.ts", settings);
    const ends: Record<string, number> = JSON.parse(await running);
    this.#requests += count;
    const tables = await this.#settled(before.workers ?? 0);
    const memory = new Map<string, Memory>();
    for (const member of [this.#broker, this.#workers, this.#clients]) memory.set(member.name, await member.memory());
    return { requests: this.#requests, memory, ends, tables };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#clients, this.#workers, this.#victim, this.#broker].map((member) => member.kill()));
  }

  /** Waits until nothing is open, and those are gone that went. */
  async #settled(workers: number): Promise<Readonly<Record<string, number>>> {
    const late = AbortSignal.timeout(SETTLED_WITHIN_MS);
    for (;;) {
      const tables = await this.#tables();
      if (tables.open === 0 && tables.workers === workers) return tables;
      await setTimeout(LOOK_AGAIN_MS);
      if (late.aborted) throw new Error(`the broker does not settle: ${JSON.stringify(tables)}`);
    }
  }

  async #tables(): Promise<Readonly<Record<string, number>>> {
    const tables: Record<string, number> = JSON.parse(await this.#broker.ask("stats"));
    return tables;
  }
}

/** How requests ended that should not have ended so. */
export function wrongEnds({ ends }: Round): string[] {
  return Object.keys(ends).filter((end) => end.startsWith("wrong"));
}

// The processes of one peer, from start to end.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Case } from "./cases.ts";
import type { Greeting, Order, Outcome } from "./host.ts";
import type { Role, Started } from "./peer.ts";
import type { Entry } from "./roster.ts";
import { type Usage, usageOf } from "./usage.ts";

/** Long enough for the slowest server, and for the slowest peer to answer what is in flight at the end of a burst. */
const START_MS = 60_000;
const ANSWER_MS = 20_000;
const LEAVE_MS = 3_000;

/** The same extension as this file has: it runs from source and as it was built. */
const HOST = new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./host.js", import.meta.url);

export interface Visit {
  /** Requests, or parts, a second. */
  readonly perSecond: number;
  /** Of the parts of its streams, how many never came: 0 to 1. */
  readonly lost: number;
  /** Microseconds of CPU for each request, or part, in each process. */
  readonly cpuMicros: Readonly<Record<PlayerName, number>>;
}

export type PlayerName = "client" | Role;

interface Player {
  readonly name: PlayerName;
  readonly child: ChildProcess;
  readonly started: Started;
}

export class Troupe {
  readonly entry: Entry;
  readonly #host: URL;
  readonly #children: ChildProcess[] = [];
  readonly #players: Player[] = [];
  #client: Player | undefined;

  /** @param host the program that plays a role, if it is not this tree's own */
  constructor(entry: Entry, host: URL = HOST) {
    this.entry = entry;
    this.#host = host;
  }

  async start(): Promise<void> {
    for (const role of this.entry.chain) this.#players.push(await this.#play(role, this.#address));
    await this.renewClient(1);
  }

  /** Ends the client and starts another one, with so many connections. */
  async renewClient(connections: number): Promise<void> {
    if (connections > 1 && this.entry.oneClient) return;
    this.#client?.child.kill("SIGKILL");
    this.#client = undefined;
    this.#client = await this.#play("client", this.#address, connections);
  }

  /** @returns `undefined` if the peer cannot do it */
  async visit(what: Case, durationMs: number): Promise<Visit | undefined> {
    if (what.clients > 1 && this.entry.oneClient) return undefined;
    const client = this.#client;
    if (client === undefined) throw new Error("there is no client");
    const before = this.usage();
    const order: Order = { what, durationMs };
    const outcome = await ask<Outcome>(client.child, order, durationMs + ANSWER_MS);
    const after = this.usage();
    if ("failure" in outcome) throw new Error(outcome.failure);
    if (outcome.burst === undefined) return undefined;
    const { count, seconds, lost } = outcome.burst;
    const cost = (name: PlayerName) => (after[name].cpuMicros - before[name].cpuMicros) / count;
    return {
      perSecond: count / seconds,
      lost: lost / (count + lost),
      cpuMicros: { client: cost("client"), broker: cost("broker"), worker: cost("worker") },
    };
  }

  usage(): Record<PlayerName, Usage> {
    const none = { cpuMicros: Number.NaN, rssBytes: Number.NaN };
    const usages = { client: none, broker: none, worker: none };
    for (const player of [...this.#players, this.#client]) {
      const pid = player?.started.pid ?? player?.child.pid;
      if (player !== undefined && pid !== undefined) usages[player.name] = usageOf(pid);
    }
    return usages;
  }

  /** Asks all to leave, so that each takes along what it started, and makes sure. */
  async stop(): Promise<void> {
    await Promise.all(this.#children.map(leave));
  }

  get #address(): string {
    return this.#players.at(-1)?.started.address ?? "";
  }

  async #play(name: PlayerName, address: string, connections = 1): Promise<Player> {
    const child = fork(this.#host, [this.entry.name, name, address, String(connections)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, NODE_ENV: "production" },
    });
    this.#children.push(child);
    const greeting = await ask<Greeting>(child, undefined, START_MS);
    if ("failure" in greeting) throw new Error(greeting.failure);
    return { name, child, started: greeting.started };
  }
}

/** @returns the next message of a child; rejects if it ends before, or takes too long */
async function ask<Answer>(child: ChildProcess, order: Order | undefined, limitMs: number): Promise<Answer> {
  const over = new AbortController();
  const { signal } = over;
  const exit = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`its process ended with ${code}`);
  });
  const silence = setTimeout(limitMs, undefined, { signal }).then(() => {
    throw new Error(`no answer in ${limitMs} ms`);
  });
  // Whichever comes second is nobody's concern.
  exit.catch(() => {});
  silence.catch(() => {});
  if (order !== undefined) child.send(order);
  try {
    const [answer] = await Promise.race([once(child, "message", { signal }), exit, silence]);
    return answer;
  } finally {
    over.abort();
  }
}

async function leave(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  if (child.connected) child.disconnect();
  const over = new AbortController();
  setTimeout(LEAVE_MS, undefined, { signal: over.signal }).then(
    () => child.kill("SIGKILL"),
    () => {},
  );
  await gone;
  over.abort();
}

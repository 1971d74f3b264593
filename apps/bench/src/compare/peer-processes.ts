// The processes of one peer: one for each role, from start to stop.

import type { ChildProcess } from "node:child_process";
import { ask, programBeside, startChild, stopChild } from "../children.ts";
import type { Case } from "./cases.ts";
import type { Role, Started } from "./peer.ts";
import type { PeerEntry } from "./peers.ts";
import type { BurstOrder, BurstReport, StartReport } from "./role-process.ts";
import { type Usage, usageOf } from "./usage.ts";

/** Enough for the slowest server to start. */
const START_MS = 60_000;
/** Enough for the slowest peer to answer what is in flight at the end of a burst. */
const REPLY_MS = 20_000;

/** One burst of one peer. */
export interface Sample {
  /** Requests, or partials, per second. */
  readonly perSecond: number;
  /** Share of the partials that did not arrive, 0 to 1. */
  readonly lost: number;
  /** Microseconds of CPU per request, or partial, in each process. */
  readonly cpuMicros: Readonly<Record<Role, number>>;
}

interface RoleProcess {
  readonly role: Role;
  readonly child: ChildProcess;
  readonly started: Started;
}

export class PeerProcesses {
  readonly entry: PeerEntry;
  readonly #program: URL;
  readonly #children: ChildProcess[] = [];
  readonly #servers: RoleProcess[] = [];
  #client: RoleProcess | undefined;
  #connections = 0;

  /** @param program runs a role; the one of another checkout measures the packages of that checkout */
  constructor(entry: PeerEntry, program: URL = programBeside(import.meta.filename, "./role-process")) {
    this.entry = entry;
    this.#program = program;
  }

  async start(): Promise<void> {
    for (const role of this.entry.chain) this.#servers.push(await this.#startRole(role, this.#address));
    await this.setConnections(1);
  }

  /** Replaces the client process by one with this many connections, unless it has as many. */
  async setConnections(connections: number): Promise<void> {
    if (connections === this.#connections || (connections > 1 && this.entry.oneClient)) return;
    this.#client?.child.kill("SIGKILL");
    this.#client = undefined;
    this.#client = await this.#startRole("client", this.#address, connections);
    this.#connections = connections;
  }

  /** Runs one burst. @returns `undefined` if the peer cannot do the case */
  async sample(measured: Case, durationMs: number): Promise<Sample | undefined> {
    if (measured.clients > 1 && this.entry.oneClient) return undefined;
    if (this.#client === undefined) throw new Error("the client is not running");
    const before = this.usage();
    const order: BurstOrder = { measured, durationMs };
    const report = await ask<BurstReport>(this.#client.child, order, durationMs + REPLY_MS);
    const after = this.usage();
    if ("failure" in report) throw new Error(report.failure);
    if (report.burst === undefined) return undefined;
    const { count, seconds, lost } = report.burst;
    const cost = (role: Role) => (after[role].cpuMicros - before[role].cpuMicros) / count;
    return {
      perSecond: count / seconds,
      lost: lost / (count + lost),
      cpuMicros: { client: cost("client"), broker: cost("broker"), worker: cost("worker") },
    };
  }

  usage(): Record<Role, Usage> {
    const unknown = { cpuMicros: Number.NaN, rssBytes: Number.NaN };
    const usages = { client: unknown, broker: unknown, worker: unknown };
    for (const roleProcess of [...this.#servers, this.#client]) {
      const pid = roleProcess?.started.pid ?? roleProcess?.child.pid;
      if (roleProcess !== undefined && pid !== undefined) usages[roleProcess.role] = usageOf(pid);
    }
    return usages;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(stopChild));
  }

  get #address(): string {
    return this.#servers.at(-1)?.started.address ?? "";
  }

  async #startRole(role: Role, address: string, connections = 1): Promise<RoleProcess> {
    const child = startChild(this.#program, {
      args: [this.entry.name, role, address, String(connections)],
      env: { NODE_ENV: "production" },
    });
    this.#children.push(child);
    const report = await ask<StartReport>(child, undefined, START_MS);
    if ("failure" in report) throw new Error(report.failure);
    return { role, child, started: report.started };
  }
}

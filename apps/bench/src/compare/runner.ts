// Runs a comparison. The processes of all peers are up during the whole run. The runner samples one peer after the other in
// short bursts, in a new random order each round, and the baseline between them, so that a busy moment of the machine hits
// neighbors alike. A ratio compares a sample with those of the baseline just before and after. Only one peer works at a time.

import { type Case, MANY_CLIENTS } from "./cases.ts";
import type { Role } from "./peer.ts";
import { PeerProcesses, type Sample } from "./peer-processes.ts";
import { BASELINE, type PeerEntry } from "./peers.ts";
import { type CaseResult, type NeighborGroup, type Round, resultsOf } from "./results.ts";

/** Peers between two samples of the baseline. */
const NEIGHBORS = 3;
/** Share of the time that the case with many clients gets. */
const MANY_CLIENTS_SHARE = 0.13;

export interface Plan {
  readonly cases: readonly Case[];
  /** Time to measure, without starting and warming up. Every case gets at least one round. */
  readonly seconds: number;
  readonly burstMs: number;
  readonly onProgress: (done: number, what: string) => void;
}

/** Resident bytes after all cases of one client; `undefined` if there is no such process. */
export interface Memory {
  readonly peer: string;
  readonly rssBytes: Readonly<Record<Role, number | undefined>>;
}

export interface ComparisonResults {
  readonly results: readonly CaseResult[];
  readonly memory: readonly Memory[];
  /** Peers that failed during the run, with the reason. */
  readonly failures: readonly string[];
}

/** Cases that share a number of connections. */
interface Phase {
  readonly connections: number;
  readonly cases: readonly Case[];
  readonly seconds: number;
}

export async function runComparison(entries: readonly PeerEntry[], plan: Plan): Promise<ComparisonResults> {
  const peers = new RunningPeers(entries);
  const phases = phasesOf(plan);
  const results: CaseResult[] = [];
  const memory: Memory[] = [];
  try {
    await peers.each(async (processes) => {
      plan.onProgress(0, `starting ${processes.entry.name}`);
      await processes.start();
    });
    for (const [index, phase] of phases.entries()) {
      const onProgress = (done: number, what: string) => plan.onProgress((index + done) / phases.length, what);
      await peers.each((processes) => processes.setConnections(phase.connections));
      const rounds = await runPhase(peers, phase, { ...plan, onProgress });
      for (const { name } of phase.cases) results.push(...resultsOf(name, rounds.get(name) ?? []));
      if (index === 0) memory.push(...peers.memory());
    }
  } finally {
    await peers.stop();
  }
  return { results, memory, failures: peers.failures };
}

function phasesOf({ cases, seconds }: Plan): readonly Phase[] {
  return [
    { connections: 1, seconds: seconds * (1 - MANY_CLIENTS_SHARE) },
    { connections: MANY_CLIENTS, seconds: seconds * MANY_CLIENTS_SHARE },
  ]
    .map((phase) => ({ ...phase, cases: cases.filter(({ clients }) => clients === phase.connections) }))
    .filter((phase) => phase.cases.length > 0);
}

/** @returns the rounds, by case name */
async function runPhase(
  peers: RunningPeers,
  { cases, seconds }: Phase,
  { burstMs, onProgress }: Plan,
): Promise<Map<string, Round[]>> {
  // V8 has not optimized code that ran only briefly; these figures do not count.
  for (const measured of cases) {
    onProgress(0, `warming up: ${measured.name}`);
    await peers.round(measured, 2 * burstMs);
  }
  const start = performance.now();
  const share = () => (performance.now() - start) / 1000 / seconds;
  const rounds = new Map(cases.map(({ name }): [string, Round[]] => [name, []]));
  for (let turn = 0; turn === 0 || share() < 1; turn++) {
    for (const measured of shuffled(cases)) {
      if (turn % measured.every !== 0 || (turn > 0 && share() >= 1)) continue;
      onProgress(Math.min(share(), 1), measured.name);
      rounds.get(measured.name)?.push(await peers.round(measured, burstMs));
    }
  }
  return rounds;
}

/** The peers that still run. A peer that fails is stopped and left out from then on. */
class RunningPeers {
  readonly failures: string[] = [];
  readonly #all: readonly PeerProcesses[];
  #running: readonly PeerProcesses[];

  constructor(entries: readonly PeerEntry[]) {
    this.#all = entries.map((entry) => new PeerProcesses(entry));
    this.#running = this.#all;
  }

  async each(act: (processes: PeerProcesses) => Promise<void>): Promise<void> {
    for (const processes of shuffled(this.#running)) await this.#guard(processes, () => act(processes));
  }

  /** Samples every peer once, and the baseline before and after every few of them. */
  async round(measured: Case, burstMs: number): Promise<Round> {
    const baseline = this.#running.find(({ entry }) => entry.name === BASELINE);
    const others = shuffled(this.#running.filter((processes) => processes !== baseline));
    const sample = (processes: PeerProcesses | undefined) =>
      processes && this.#guard(processes, () => processes.sample(measured, burstMs));
    const round: NeighborGroup[] = [];
    let before = await sample(baseline);
    while (others.length > 0) {
      const samples = new Map<string, Sample>();
      for (const processes of others.splice(0, NEIGHBORS)) {
        const own = await sample(processes);
        if (own !== undefined) samples.set(processes.entry.name, own);
      }
      const after = await sample(baseline);
      round.push({ samples, baseline: [before, after].filter((own) => own !== undefined) });
      before = after;
    }
    return round;
  }

  memory(): Memory[] {
    return this.#running.map((processes) => {
      const usage = processes.usage();
      const known = (role: Role) => (Number.isFinite(usage[role].rssBytes) ? usage[role].rssBytes : undefined);
      const rssBytes = { client: known("client"), broker: known("broker"), worker: known("worker") };
      return { peer: processes.entry.name, rssBytes };
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((processes) => processes.stop()));
  }

  /** @returns `undefined` also if the peer failed */
  async #guard<Value>(processes: PeerProcesses, act: () => Promise<Value>): Promise<Value | undefined> {
    if (!this.#running.includes(processes)) return undefined;
    try {
      return await act();
    } catch (error) {
      this.failures.push(`${processes.entry.name}: ${error instanceof Error ? error.message : String(error)}`);
      this.#running = this.#running.filter((other) => other !== processes);
      await processes.stop();
      return undefined;
    }
  }
}

export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

// Visits all peers in turn, in short bursts and in a new random order each time, and the base again and again between
// them, so that a busy moment of the machine hits neighbours alike; what counts is the ratio of a figure to those of the
// base just before and after. Nobody but the one that is visited has anything to do.

import type { Case } from "./cases.ts";
import { type Cell, cellsOf, type Neighbours, type Round } from "./cells.ts";
import { BASE, type Entry } from "./roster.ts";
import { type PlayerName, Troupe, type Visit } from "./troupe.ts";

/** How many are visited between two visits to the base. */
const NEIGHBOURS = 3;

/** A number of cases, with as many connections for each peer. */
export interface Act {
  readonly connections: number;
  readonly cases: readonly Case[];
  /** How long to go on. Every case gets one round at least. */
  readonly seconds: number;
}

export interface Show {
  readonly burstMs: number;
  readonly acts: readonly Act[];
  readonly onProgress: (done: number, what: string) => void;
}

/** Resident bytes at the end of the first act; `undefined` where there is no such process. */
export interface Memory {
  readonly peer: string;
  readonly rssBytes: Readonly<Record<PlayerName, number | undefined>>;
}

export interface Results {
  readonly cells: readonly Cell[];
  readonly memory: readonly Memory[];
  /** Who was left out on the way, and why. */
  readonly failures: readonly string[];
}

export async function conduct(entries: readonly Entry[], { burstMs, acts, onProgress }: Show): Promise<Results> {
  const stage = new Stage(entries);
  const cells: Cell[] = [];
  const memory: Memory[] = [];
  try {
    await stage.each(async (troupe) => {
      onProgress(0, `starting ${troupe.entry.name}`);
      await troupe.start();
    });
    for (const [index, act] of acts.entries()) {
      const progress = (done: number, what: string) => onProgress((index + done) / acts.length, what);
      if (act.connections > 1) await stage.each((troupe) => troupe.renewClient(act.connections));
      const rounds = await play(stage, act, burstMs, progress);
      for (const what of act.cases) cells.push(...cellsOf(what.name, rounds.get(what) ?? []));
      if (index === 0) memory.push(...stage.memory());
    }
  } finally {
    await stage.close();
  }
  return { cells, memory, failures: stage.failures };
}

async function play(
  stage: Stage,
  { cases, seconds }: Act,
  burstMs: number,
  onProgress: Show["onProgress"],
): Promise<Map<Case, Round[]>> {
  // Code that has not run for a while is not compiled for speed yet: nobody's figure.
  for (const what of cases) {
    onProgress(0, `warming up: ${what.name}`);
    await stage.round(what, 2 * burstMs);
  }
  const start = performance.now();
  const share = () => (performance.now() - start) / 1000 / seconds;
  const rounds = new Map(cases.map((what): [Case, Round[]] => [what, []]));
  for (let turn = 0; turn === 0 || share() < 1; turn++) {
    for (const what of shuffled(cases)) {
      if (turn % what.every !== 0 || (turn > 0 && share() >= 1)) continue;
      onProgress(Math.min(share(), 1), what.name);
      rounds.get(what)?.push(await stage.round(what, burstMs));
    }
  }
  return rounds;
}

/** Everyone who still plays. Whoever fails is out from then on. */
class Stage {
  readonly failures: string[] = [];
  readonly #all: readonly Troupe[];
  #playing: readonly Troupe[];

  constructor(entries: readonly Entry[]) {
    this.#all = entries.map((entry) => new Troupe(entry));
    this.#playing = this.#all;
  }

  async each(act: (troupe: Troupe) => Promise<void>): Promise<void> {
    for (const troupe of shuffled(this.#playing)) await this.#only(troupe, () => act(troupe));
  }

  /** Everyone once, and the base between every few of the others: a figure has two of the base's nearby. */
  async round(what: Case, burstMs: number): Promise<Round> {
    const base = this.#playing.find(({ entry }) => entry.name === BASE);
    const others = shuffled(this.#playing.filter((troupe) => troupe !== base));
    const visit = (troupe: Troupe | undefined) => troupe && this.#only(troupe, () => troupe.visit(what, burstMs));
    const round: Neighbours[] = [];
    let before = await visit(base);
    while (others.length > 0) {
      const visits = new Map<string, Visit>();
      for (const troupe of others.splice(0, NEIGHBOURS)) {
        const figure = await visit(troupe);
        if (figure !== undefined) visits.set(troupe.entry.name, figure);
      }
      const after = await visit(base);
      round.push({ visits, base: [before, after].filter((figure) => figure !== undefined) });
      before = after;
    }
    return round;
  }

  /** @returns `undefined` if it failed, too: it is out from then on */
  async #only<Value>(troupe: Troupe, act: () => Promise<Value>): Promise<Value | undefined> {
    if (!this.#playing.includes(troupe)) return undefined;
    try {
      return await act();
    } catch (error) {
      this.failures.push(`${troupe.entry.name}: ${error instanceof Error ? error.message : String(error)}`);
      this.#playing = this.#playing.filter((other) => other !== troupe);
      await troupe.stop();
      return undefined;
    }
  }

  memory(): Memory[] {
    return this.#playing.map((troupe) => {
      const { client, broker, worker } = troupe.usage();
      const known = (bytes: number) => (Number.isFinite(bytes) ? bytes : undefined);
      const [ofClient, ofBroker, ofWorker] = [client, broker, worker].map(({ rssBytes }) => known(rssBytes));
      return { peer: troupe.entry.name, rssBytes: { client: ofClient, broker: ofBroker, worker: ofWorker } };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((troupe) => troupe.stop()));
  }
}

export function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

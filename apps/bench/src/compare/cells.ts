// What the rounds of a case come to, for each peer.

import { type Spread, spreadOf } from "../statistics.ts";
import { BASE } from "./roster.ts";
import type { PlayerName, Visit } from "./troupe.ts";

/** Some visits, and those to the base before and after them; none if it is out. */
export interface Neighbours {
  readonly visits: ReadonlyMap<string, Visit>;
  readonly base: readonly Visit[];
}

/** Everyone once who can do it. */
export type Round = readonly Neighbours[];

export interface Cell {
  readonly peer: string;
  readonly what: string;
  readonly rounds: number;
  /** Requests, or parts, a second. */
  readonly perSecond: Spread;
  /** Of the parts of its streams, how many never came: 0 to 1. */
  readonly lost: number;
  /** How many times as fast the base is: the mean of its figures just before and after, divided by this peer's. */
  readonly ratio: Spread | undefined;
  /** Medians of microseconds of CPU for each request. */
  readonly cpuMicros: Readonly<Record<PlayerName, number | undefined>>;
}

export function cellsOf(what: string, rounds: readonly Round[]): Cell[] {
  const all = rounds.flat();
  const peers = new Set(all.flatMap(({ visits }) => [...visits.keys()]));
  // Its visits at the edges of the groups are counted twice, which changes no median worth a name.
  const cells = [
    cellOf(
      BASE,
      what,
      all.flatMap(({ base }) => base),
      [1],
    ),
  ];
  for (const peer of peers) {
    const ratios = all.map(({ visits, base }) => {
      const own = visits.get(peer)?.perSecond ?? Number.NaN;
      return base.reduce((sum, { perSecond }) => sum + perSecond, 0) / base.length / own;
    });
    cells.push(
      cellOf(
        peer,
        what,
        all.flatMap(({ visits }) => visits.get(peer) ?? []),
        ratios,
      ),
    );
  }
  return cells.filter((cell) => cell !== undefined);
}

function cellOf(peer: string, what: string, visits: readonly Visit[], ratios: readonly number[]): Cell | undefined {
  const perSecond = spreadOf(visits.map((visit) => visit.perSecond));
  if (perSecond === undefined) return undefined;
  const cpu = (name: PlayerName) => spreadOf(visits.map(({ cpuMicros }) => cpuMicros[name]))?.median;
  const cpuMicros = { client: cpu("client"), broker: cpu("broker"), worker: cpu("worker") };
  const lost = visits.reduce((sum, visit) => sum + visit.lost, 0) / visits.length;
  return { peer, what, rounds: visits.length, perSecond, lost, ratio: spreadOf(ratios), cpuMicros };
}

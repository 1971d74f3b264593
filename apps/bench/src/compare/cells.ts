// What the rounds of a case come to, for each peer.

import { BASE } from "./roster.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { PlayerName, Visit } from "./troupe.ts";

/** One visit to each peer that can do it, shortly after each other. */
export type Round = Map<string, Visit>;

export interface Cell {
  readonly peer: string;
  readonly what: string;
  readonly rounds: number;
  /** Requests, or parts, a second. */
  readonly perSecond: Spread;
  /** Of the parts of its streams, how many never came: 0 to 1. */
  readonly lost: number;
  /** How many times as fast the base is: its figure divided by this peer's, within a round. */
  readonly ratio: Spread | undefined;
  /** Medians of microseconds of CPU for each request. */
  readonly cpuMicros: Readonly<Record<PlayerName, number | undefined>>;
}

export function cellsOf(what: string, rounds: readonly Round[]): Cell[] {
  const peers = new Set(rounds.flatMap((round) => [...round.keys()]));
  const cells: Cell[] = [];
  for (const peer of peers) {
    const visits = rounds.flatMap((round) => round.get(peer) ?? []);
    const perSecond = spreadOf(visits.map((visit) => visit.perSecond));
    if (perSecond === undefined) continue;
    const ratio = spreadOf(
      rounds.map((round) => (round.get(BASE)?.perSecond ?? Number.NaN) / (round.get(peer)?.perSecond ?? Number.NaN)),
    );
    const cpu = (name: PlayerName) => spreadOf(visits.map(({ cpuMicros }) => cpuMicros[name]))?.median;
    const cpuMicros = { client: cpu("client"), broker: cpu("broker"), worker: cpu("worker") };
    const lost = visits.reduce((sum, visit) => sum + visit.lost, 0) / visits.length;
    cells.push({ peer, what, rounds: visits.length, perSecond, lost, ratio, cpuMicros });
  }
  return cells;
}

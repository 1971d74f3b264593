// Combines the samples of a case into one result per peer.

import { type Spread, spreadOf } from "../statistics.ts";
import type { Role } from "./peer.ts";
import type { Sample } from "./peer-processes.ts";
import { BASELINE } from "./peers.ts";

/** Samples of a few peers, and of the baseline just before and after them; none if the baseline failed. */
export interface NeighborGroup {
  readonly samples: ReadonlyMap<string, Sample>;
  readonly baseline: readonly Sample[];
}

/** Every peer that can do the case, once. */
export type Round = readonly NeighborGroup[];

export interface CaseResult {
  readonly peer: string;
  readonly caseName: string;
  readonly rounds: number;
  /** Requests, or partials, per second. */
  readonly perSecond: Spread;
  /** Share of the partials that did not arrive, 0 to 1. */
  readonly lost: number;
  /** Speed of the baseline divided by that of this peer: the mean of the baseline's samples just before and after. */
  readonly ratio: Spread | undefined;
  /** Medians of microseconds of CPU per request. */
  readonly cpuMicros: Readonly<Record<Role, number | undefined>>;
}

export function resultsOf(caseName: string, rounds: readonly Round[]): CaseResult[] {
  const groups = rounds.flat();
  const peers = new Set(groups.flatMap(({ samples }) => [...samples.keys()]));
  // Baseline samples between two groups count twice; the median hardly changes.
  const baseline = resultOf(
    { peer: BASELINE, caseName },
    groups.flatMap((group) => group.baseline),
    [1],
  );
  const others = [...peers].map((peer) => {
    const own = groups.flatMap(({ samples }) => samples.get(peer) ?? []);
    const ratios = groups.map((group) => {
      const { perSecond } = group.samples.get(peer) ?? { perSecond: Number.NaN };
      return group.baseline.reduce((sum, sample) => sum + sample.perSecond, 0) / group.baseline.length / perSecond;
    });
    return resultOf({ peer, caseName }, own, ratios);
  });
  return [baseline, ...others].filter((result) => result !== undefined);
}

function resultOf(
  key: Pick<CaseResult, "peer" | "caseName">,
  samples: readonly Sample[],
  ratios: readonly number[],
): CaseResult | undefined {
  const perSecond = spreadOf(samples.map((sample) => sample.perSecond));
  if (perSecond === undefined) return undefined;
  const cpu = (role: Role) => spreadOf(samples.map(({ cpuMicros }) => cpuMicros[role]))?.median;
  const cpuMicros = { client: cpu("client"), broker: cpu("broker"), worker: cpu("worker") };
  const lost = samples.reduce((sum, sample) => sum + sample.lost, 0) / samples.length;
  return { ...key, rounds: samples.length, perSecond, lost, ratio: spreadOf(ratios), cpuMicros };
}

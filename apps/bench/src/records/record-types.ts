// What `pnpm bench record` keeps of a run: docs/benchmarks/results.json. One run of one commit holds every figure of the page.

import type { CaseResult } from "../compare/results.ts";
import type { Memory } from "../compare/runner.ts";
import type { Spread } from "../statistics.ts";

export interface Results {
  readonly run: RunInfo;
  readonly compare: CompareResult;
  readonly core: CoreResult;
  readonly broker: BrokerResult;
  readonly dialects: DialectsResult;
  readonly profile: ProfileResult;
}

/** What a reader needs to repeat a run. */
export interface RunInfo {
  /** The command line. */
  readonly command: string;
  /** The day on which the run ended, in UTC. */
  readonly date: string;
  readonly seconds: number;
  readonly node: string;
  readonly machine: string;
  /** Short hash, followed by "with uncommitted changes" if the sources differ from it. */
  readonly commit: string;
  /** Load average of the last minute, at the start and at the end; the second includes the run itself. */
  readonly load: { readonly before: number; readonly after: number };
}

export interface CompareResult {
  readonly rounds: number;
  readonly burstMs: number;
  /** Versions of what ran, by the name of the peer. */
  readonly versions: Readonly<Record<string, string>>;
  /** Peers that were left out because their server is not installed. */
  readonly missing: readonly string[];
  readonly results: readonly CaseResult[];
  readonly memory: readonly Memory[];
  /** Peers that failed during the run, with the reason. */
  readonly failures: readonly string[];
}

/** Size of a broker. */
export interface Size {
  readonly clients: number;
  /** For each service. */
  readonly workers: number;
  readonly services: number;
  /** Requests that wait throughout the measurement. */
  readonly queued: number;
}

/** Nanoseconds of CPU per request, and the ratio to the first case of the same kind. */
export interface Cost {
  readonly rounds: number;
  readonly nanos: Spread;
  readonly ratio: number;
}

export interface CoreResult {
  readonly sizes: readonly (Size & Cost & { readonly mode: string })[];
  /** By kind of name, the same name or another in each request, and number of services: see core/names.ts. */
  readonly names: readonly (Cost & { readonly kind: string; readonly which: string; readonly services: string })[];
  /** Bytes of a queued request of 20 bytes above its payload: all of them, and those of the decoded message alone. */
  readonly memory: { readonly queuedBytes: number; readonly decodedBytes: number };
}

export interface BrokerResult {
  readonly sizes: readonly (Size & Cost)[];
}

export interface DialectsResult {
  readonly pairs: readonly (Cost & { readonly client: string; readonly worker: string })[];
}

export interface ProfileResult {
  /** Microseconds of CPU per request in each process, by case and activity (profile/activities.ts). */
  readonly costs: readonly {
    readonly caseName: string;
    readonly activity: string;
    readonly client: number;
    readonly broker: number;
    readonly worker: number;
  }[];
}

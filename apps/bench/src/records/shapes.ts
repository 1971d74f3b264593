// What is kept of a run of each question.

import type { Results } from "../compare/conductor.ts";
import type { Spread } from "../statistics.ts";
import type { Circumstances } from "./circumstances.ts";

interface Recorded {
  readonly circumstances: Circumstances;
  readonly rounds: number;
}

export interface CompareRecord extends Results, Recorded {
  readonly burstMs: number;
  /** What ran, with versions, by the name of the peer. */
  readonly versions: Readonly<Record<string, string>>;
  /** Who was left out, because its server is not installed. */
  readonly missing: readonly string[];
}

/** How large a broker is. */
export interface Size {
  readonly clients: number;
  /** For each service. */
  readonly workers: number;
  readonly services: number;
  /** Requests that wait all the while. */
  readonly queued: number;
}

/** Nanoseconds of CPU for a request, and how many times that is what the first of its kind costs. */
export interface Cost {
  readonly nanos: Spread;
  readonly ratio: number;
}

export interface CoreRecord extends Recorded {
  readonly sizes: readonly (Size & Cost & { readonly mode: string })[];
  /** What is asked for, whether the same or another each time, of how many services: see core-names.ts. */
  readonly names: readonly (Cost & { readonly asked: string; readonly which: string; readonly services: string })[];
  /** Of a queued request of 20 bytes, above those: all of it, and what of that the message is as it was decoded. */
  readonly memory: { readonly queuedBytes: number; readonly decodedBytes: number };
}

export interface BrokerRecord extends Recorded {
  readonly sizes: readonly (Size & Cost)[];
}

export interface ProfileRecord {
  readonly circumstances: Circumstances;
  /** For each case and kind of work (profile/shares.ts): microseconds of CPU for a request in each process. */
  readonly costs: readonly {
    readonly what: string;
    readonly work: string;
    readonly client: number;
    readonly broker: number;
    readonly worker: number;
  }[];
}

export interface DialectsRecord extends Recorded {
  readonly pairs: readonly (Cost & { readonly client: string; readonly worker: string })[];
}

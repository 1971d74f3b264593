// What is asked of every peer. A case is one column of the table.

import type { Caller, Question } from "./peer.ts";

export interface Case {
  readonly name: string;
  readonly kind: "calls" | "parts" | "chunks";
  /** Connections, in one process. */
  readonly clients: number;
  /** Requests in flight on all of them together. */
  readonly inFlight: number;
  /** Bytes of the JSON of a request, and of its answer. */
  readonly bytes: number;
  /** 1: it is asked in every round; 2: in every second. */
  readonly every: number;
}

export const PARTS = 20_000;
export const CHUNKS = 400;

const SIZES = [
  { label: "20 B", bytes: 20, every: 1 },
  { label: "1 KB", bytes: 1024, every: 2 },
  { label: "64 KB", bytes: 64 * 1024, every: 2 },
] as const;

export const CASES: readonly Case[] = [
  ...SIZES.flatMap(({ label, bytes, every }) =>
    [1, 100, 1000].map(
      (inFlight): Case => ({ name: `${label} × ${inFlight}`, kind: "calls", clients: 1, inFlight, bytes, every }),
    ),
  ),
  { name: "partials", kind: "parts", clients: 1, inFlight: 1, bytes: 0, every: 1 },
  { name: "64 KB chunks", kind: "chunks", clients: 1, inFlight: 1, bytes: 0, every: 2 },
];

export const CROWD_SIZE = 200;

export const CROWD_CASES: readonly Case[] = [
  { name: `${CROWD_SIZE} clients`, kind: "calls", clients: CROWD_SIZE, inFlight: CROWD_SIZE, bytes: 20, every: 1 },
];

/** The cases of the short form. */
export const QUICK_CASES: readonly string[] = ["20 B × 1", "20 B × 100", "20 B × 1000", "partials"];

export function questionOf({ kind, bytes }: Case): Question {
  switch (kind) {
    case "calls":
      return { text: "x".repeat(bytes - '{"text":""}'.length) };
    case "parts":
      return { parts: PARTS };
    case "chunks":
      return { parts: CHUNKS, bytes: true };
    default:
      return kind satisfies never;
  }
}

/** Whether a peer whose connection is `caller` can be asked this. */
export function canAnswer(caller: Caller, { kind }: Case): boolean {
  return kind === "calls" || caller.stream !== undefined;
}

// The cases, which every peer runs. Each is a column of the tables.

import { BODY, type ClientConnection, type EchoRequest } from "./peer.ts";

export interface Case {
  readonly name: string;
  readonly kind: "calls" | "partials" | "chunks" | "uploads" | "bytes";
  /** Connections, all in one process. */
  readonly clients: number;
  /** Requests in flight on all connections together. */
  readonly inFlight: number;
  /** Size of a request and of its reply: of JSON, or of bytes. */
  readonly bytes: number;
  /** 1: measured in every round; 2: in every second round. */
  readonly every: number;
}

export const PARTIALS_PER_STREAM = 20_000;
export const CHUNKS_PER_STREAM = 400;
export const MANY_CLIENTS = 200;

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
  { name: "partials", kind: "partials", clients: 1, inFlight: 1, bytes: 0, every: 1 },
  { name: "64 KB chunks", kind: "chunks", clients: 1, inFlight: 1, bytes: 0, every: 2 },
  { name: "64 KB uploads", kind: "uploads", clients: 1, inFlight: 1, bytes: 0, every: 2 },
  { name: "1 MB of bytes × 10", kind: "bytes", clients: 1, inFlight: 10, bytes: BODY.length, every: 2 },
  {
    name: `${MANY_CLIENTS} clients`,
    kind: "calls",
    clients: MANY_CLIENTS,
    inFlight: MANY_CLIENTS,
    bytes: 20,
    every: 1,
  },
];

/** The cases of `--quick`, of `pnpm bench against` and of `pnpm bench record`. */
export const QUICK_CASES: readonly string[] = ["20 B × 1", "20 B × 100", "20 B × 1000", "partials"];
export const AGAINST_CASES: readonly string[] = [...QUICK_CASES, `${MANY_CLIENTS} clients`];
export const RECORD_CASES: readonly string[] = [
  ...AGAINST_CASES,
  "1 KB × 100",
  "64 KB × 100",
  "64 KB chunks",
  "64 KB uploads",
  "1 MB of bytes × 10",
];

export function requestOf({ kind, bytes }: Case): EchoRequest {
  switch (kind) {
    case "calls":
      return { text: "x".repeat(bytes - '{"text":""}'.length) };
    case "partials":
      return { partials: PARTIALS_PER_STREAM };
    case "chunks":
      return { partials: CHUNKS_PER_STREAM, bytes: true };
    case "uploads":
      return { uploads: CHUNKS_PER_STREAM };
    case "bytes":
      return {};
    default:
      return kind satisfies never;
  }
}

export function canMeasure(connection: ClientConnection, { kind }: Case): boolean {
  if (kind === "uploads") return connection.upload !== undefined;
  if (kind === "bytes") return connection.callBytes !== undefined;
  return kind === "calls" || connection.stream !== undefined;
}

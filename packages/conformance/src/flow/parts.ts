// The chunks of the long replies in these suites.

import { once } from "node:events";
import type { Reply } from "@pigato/worker";

export const SERVICE = "rows";
/** A timeout for operations that are fast unless the machine is busy. */
export const PATIENTLY = { timeout: 30_000 } as const;

/** Numbered chunks of this size, as text: `0:xxxx…`. */
export function part(number: number, bytes: number): string {
  return `${number}:`.padEnd(bytes, "x");
}

/** The number of a chunk. */
export function numberOf(value: unknown): number {
  return Number.parseInt(String(value), 10);
}

export interface PartSender {
  readonly tally: {
    written: number;
    pauses: number;
    readonly replies: Reply[];
    readonly failures: unknown[];
  };
  /** Resolves at the next pause of the handler. */
  paused(): Promise<void>;
  handler(data: unknown, reply: Reply): Promise<void>;
}

/** A handler that sends numbered chunks, pauses when `write` returns false, and counts both. */
export function sender(parts: number, bytes = 10): PartSender {
  const tally: PartSender["tally"] = { written: 0, pauses: 0, replies: [], failures: [] };
  let onPause: () => void = () => {};
  return {
    tally,
    paused: () =>
      new Promise<void>((resolve) => {
        onPause = resolve;
      }),
    handler: async (_data: unknown, reply: Reply): Promise<void> => {
      tally.replies.push(reply);
      try {
        for (let number = 0; number < parts; number++) {
          const goesOn = reply.write(part(number, bytes));
          tally.written += 1;
          if (goesOn) continue;
          tally.pauses += 1;
          const drained = once(reply, "drain");
          onPause();
          await drained;
        }
        reply.end("last");
      } catch (error) {
        tally.failures.push(error);
      }
    },
  };
}

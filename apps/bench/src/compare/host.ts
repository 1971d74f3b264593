// A process that plays one role of one peer: `host <peer> <role> <address> [connections]`. It says where the next role
// finds it; as a client it then answers each case with a burst. It ends with its conductor.

import { type Burst, burst } from "./burst.ts";
import { type Case, canAnswer } from "./cases.ts";
import type { Started } from "./peer.ts";
import { entryNamed } from "./roster.ts";

export interface Order {
  readonly what: Case;
  readonly durationMs: number;
}

/** `undefined`: the peer cannot do it. */
export type Outcome = { readonly burst: Burst | undefined } | { readonly failure: string };

/** What it says once it is there, before any outcome. */
export type Greeting = { readonly started: Started } | { readonly failure: string };

// Before anything may fail: whoever is orphaned leaves.
process.on("disconnect", () => process.exit());
// Ctrl-C reaches everyone in the terminal: by an exit of its own, a host takes the server along that it runs.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit());

const [, , name, role, address = "", connections = "1"] = process.argv;

try {
  const peer = await entryNamed(name).load();
  if (role === "broker" || role === "worker") {
    const started = await peer[role]?.(address);
    if (started === undefined) throw new Error(`${name} has no ${role}`);
    greet({ started });
  } else {
    const callers = await Promise.all(Array.from({ length: Number(connections) }, () => peer.client(address)));
    process.on("message", ({ what, durationMs }: Order) => {
      const [caller] = callers;
      if (caller === undefined || !canAnswer(caller, what)) return report({ burst: undefined });
      void burst(callers, what, durationMs).then(
        (result) => report({ burst: result }),
        (error) => report({ failure: String(error) }),
      );
    });
    greet({ started: { address } });
  }
} catch (error) {
  greet({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function greet(greeting: Greeting): void {
  process.send?.(greeting);
}

function report(outcome: Outcome): void {
  process.send?.(outcome);
}

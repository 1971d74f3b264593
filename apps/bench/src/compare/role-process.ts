// A process that runs one role of one peer: `role-process <peer> <role> <address> [connections]`. It reports where the next
// role connects. A client then runs a burst for each order. The process exits when its parent disconnects.

import { type Burst, burst } from "./burst.ts";
import { type Case, canMeasure } from "./cases.ts";
import type { Started } from "./peer.ts";
import { peerNamed } from "./peers.ts";

export interface BurstOrder {
  readonly measured: Case;
  readonly durationMs: number;
}

/** `burst` is `undefined` if the peer cannot do the case. */
export type BurstReport = { readonly burst: Burst | undefined } | { readonly failure: string };

/** The first message of the process. */
export type StartReport = { readonly started: Started } | { readonly failure: string };

// First of all, so that no process outlives its parent.
process.on("disconnect", () => process.exit());
// Ctrl-C reaches every process of the terminal. An exit through `process.exit` also stops the server that this process runs.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit());

const [, , name, role, address = "", connectionCount = "1"] = process.argv;

try {
  const peer = await peerNamed(name).load();
  if (role === "broker" || role === "worker") {
    const started = await peer[role]?.(address);
    if (started === undefined) throw new Error(`${name} has no ${role}`);
    reportStart({ started });
  } else {
    const connections = await Promise.all(Array.from({ length: Number(connectionCount) }, () => peer.client(address)));
    process.on("message", ({ measured, durationMs }: BurstOrder) => {
      const [connection] = connections;
      if (connection === undefined || !canMeasure(connection, measured)) return reportBurst({ burst: undefined });
      void burst(connections, measured, durationMs).then(
        (result) => reportBurst({ burst: result }),
        (error) => reportBurst({ failure: String(error) }),
      );
    });
    reportStart({ started: { address } });
  }
} catch (error) {
  reportStart({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function reportStart(report: StartReport): void {
  process.send?.(report);
}

function reportBurst(report: BurstReport): void {
  process.send?.(report);
}

// From frames to what the core is told: whose message it is, in which dialect, and whether its sender may come in by
// this door. On the path of every message, measured by apps/bench.

import {
  type BrokerDialect,
  type FromClient,
  type FromWorker,
  type PeerId,
  type Role,
  violation,
} from "@pigato/protocol";
import type { Frames } from "@pigato/transport";
import type { DoorSettings } from "./binds.ts";
import type { Input } from "./core/effects.ts";

export function readInput({ dialects, role: only }: DoorSettings, from: PeerId, frames: Frames): Input {
  for (const dialect of dialects) {
    const role = dialect.detect(frames);
    if (role === undefined) continue;
    if (only !== undefined && role !== only) return wrongSide(from, role, dialect, frames);
    return role === "client" ? fromClient(from, dialect, frames) : fromWorker(from, dialect, frames);
  }
  const detail = `a message of ${frames.length} frames that starts like none of ours`;
  return { type: "violation", from, role: undefined, dialect: undefined, violation: violation("P-MSG-1", detail) };
}

function fromClient(from: PeerId, dialect: BrokerDialect, frames: Frames): Input {
  const message: FromClient | ReturnType<typeof violation> = dialect.decodeFromClient(frames);
  return message.type === "violation"
    ? { type: "violation", from, role: "client", dialect: dialect.id, violation: message }
    : { type: "from-client", from, message, dialect: dialect.id };
}

function fromWorker(from: PeerId, dialect: BrokerDialect, frames: Frames): Input {
  const message: FromWorker | ReturnType<typeof violation> = dialect.decodeFromWorker(frames);
  return message.type === "violation"
    ? { type: "violation", from, role: "worker", dialect: dialect.id, violation: message }
    : { type: "from-worker", from, message, dialect: dialect.id };
}

/** D-ROLE-1: what the core makes of it depends on what was said. */
function wrongSide(from: PeerId, role: Role, dialect: BrokerDialect, frames: Frames): Input {
  if (role === "client") {
    const input = fromClient(from, dialect, frames);
    return input.type === "from-client" ? { ...input, type: "client-at-backend" } : input;
  }
  const input = fromWorker(from, dialect, frames);
  return input.type === "from-worker" ? { ...input, type: "worker-at-frontend" } : input;
}

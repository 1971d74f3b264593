// Turns frames into inputs of the core: detects the dialect and the role of the sender, decodes the message, and checks that the
// listener serves the role. On the path of every message, measured by apps/bench.

import type { BrokerDialect, FromClient, FromWorker, PeerId } from "@pigato/protocol";
import { type Role, violation } from "@pigato/protocol/internal";
import type { Frames } from "@pigato/transport";
import type { ListenerSettings } from "./binds.ts";
import type { Input } from "./core/effects.ts";

export function readInput({ dialects, role: only }: ListenerSettings, from: PeerId, frames: Frames): Input {
  for (const dialect of dialects) {
    const role = dialect.detect(frames);
    if (role === undefined) continue;
    if (only !== undefined && role !== only) return atWrongListener(from, role, dialect, frames);
    return role === "client" ? fromClient(from, dialect, frames) : fromWorker(from, dialect, frames);
  }
  const detail = `a message of ${frames.length} frames in no known dialect`;
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

/** D-ROLE-1: the core's response depends on the message. */
function atWrongListener(from: PeerId, role: Role, dialect: BrokerDialect, frames: Frames): Input {
  if (role === "client") {
    const input = fromClient(from, dialect, frames);
    return input.type === "from-client" ? { ...input, type: "client-at-backend" } : input;
  }
  const input = fromWorker(from, dialect, frames);
  return input.type === "from-worker" ? { ...input, type: "worker-at-frontend" } : input;
}

// Turns frames into inputs of the core: detects the dialect and the role of the sender, decodes the message, and checks that the
// listener serves the role. On the path of every message, measured by apps/bench.

import type { BrokerDialect, FromClient, FromWorker, PeerId } from "@pigato/protocol";
import { type Role, violation } from "@pigato/protocol/internal";
import type { Frames, OversizedMessage } from "@pigato/transport";
import type { ListenerSettings } from "./binds.ts";
import type { Input } from "./core/effects.ts";

/** The hosts that the peers of a listener connect from, as far as they are known. */
export type Hosts = ReadonlyMap<PeerId, string>;

type ReadInput = Extract<
  Input,
  { readonly type: "from-client" | "from-worker" | "client-at-backend" | "worker-at-frontend" | "violation" }
>;

export function readInput(
  { dialects, role: only }: ListenerSettings,
  from: PeerId,
  frames: Frames,
  hosts: Hosts,
): ReadInput {
  for (const dialect of dialects) {
    const role = dialect.detect(frames);
    if (role === undefined) continue;
    const input =
      role === "client" ? fromClient(from, dialect, frames, hosts) : fromWorker(from, dialect, frames, hosts);
    return only === undefined || role === only ? input : atWrongListener(input);
  }
  const detail = `a message of ${frames.length} frames in no known dialect`;
  return { type: "violation", from, role: undefined, dialect: undefined, violation: violation("P-MSG-1", detail) };
}

/** A message that was too large to be kept. Its small frames name the request that it is about. */
export function readOversized(
  settings: ListenerSettings,
  from: PeerId,
  { frames, detail }: OversizedMessage,
  hosts: Hosts,
): Input {
  const input = readInput(settings, from, frames, hosts);
  if (input.type === "from-client" && input.message.type === "request") {
    return { type: "oversized-request", from, message: input.message, dialect: input.dialect, detail };
  }
  if (input.type === "from-worker" && "address" in input.message) {
    return { type: "oversized-reply", from, message: input.message, dialect: input.dialect, detail };
  }
  const [role, dialect] = input.type === "violation" ? [input.role, input.dialect] : roleOf(input);
  const isInput = input.type === "from-client" && input.message.type === "input";
  const requestId = isInput ? input.message.requestId : undefined;
  return { type: "violation", from, role, dialect, violation: violation("P-SIZE-2", detail, requestId) };
}

function roleOf(input: Exclude<ReadInput, { readonly type: "violation" }>): [Role, string] {
  const isClient = input.type === "from-client" || input.type === "client-at-backend";
  return [isClient ? "client" : "worker", input.dialect];
}

function fromClient(from: PeerId, dialect: BrokerDialect, frames: Frames, hosts: Hosts): ReadInput {
  const message: FromClient | ReturnType<typeof violation> = dialect.decodeFromClient(frames);
  if (message.type === "violation") {
    return { type: "violation", from, role: "client", dialect: dialect.id, violation: message };
  }
  const input = { type: "from-client", from, message, dialect: dialect.id } as const;
  return message.type === "worker-heartbeat" ? { ...input, host: hosts.get(from) } : input;
}

function fromWorker(from: PeerId, dialect: BrokerDialect, frames: Frames, hosts: Hosts): ReadInput {
  const message: FromWorker | ReturnType<typeof violation> = dialect.decodeFromWorker(frames);
  if (message.type === "violation") {
    return { type: "violation", from, role: "worker", dialect: dialect.id, violation: message };
  }
  const input = { type: "from-worker", from, message, dialect: dialect.id } as const;
  return message.type === "ready" ? { ...input, host: hosts.get(from) } : input;
}

/** D-ROLE-1: the core's response depends on the message. */
function atWrongListener(input: ReadInput): ReadInput {
  if (input.type === "from-client") return { ...input, type: "client-at-backend" };
  return input.type === "from-worker" ? { ...input, type: "worker-at-frontend" } : input;
}

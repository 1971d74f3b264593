// Bytes of a message arrived that is not whole yet. They prove that its sender is alive (P-LIVE-1), which cannot send a heartbeat
// before the end of the message. For the same reason the sender gets no answers, so it gets heartbeats unasked (P-LIVE-6).

import type { PeerId } from "@pigato/protocol";
import type { HeartbeatTiming, Instant } from "@pigato/protocol/internal";
import { type HeartbeatLease, noteBytes } from "./heartbeat-lease.ts";
import type { CoreState } from "./state.ts";

export function handleReceiving(state: CoreState, from: PeerId, now: Instant): void {
  const worker = state.workers.get(from);
  if (worker !== undefined && isHeartbeatDue(state, worker, now)) {
    state.effects.toWorker(worker, { type: "heartbeat" });
  }
  const client = state.clients.get(from);
  // A client that sends no heartbeats expects none.
  if (client !== undefined && isHeartbeatDue(state, client, now) && sendsHeartbeats(client.timing)) {
    state.effects.toClient(client, { type: "heartbeat", accepted: undefined });
  }
}

/** The sender judges the broker by its own interval, which may be shorter than the broker's. */
function isHeartbeatDue(
  { options }: CoreState,
  peer: HeartbeatLease & { readonly timing: HeartbeatTiming },
  now: Instant,
): boolean {
  const { announcedMs, seenMs } = peer.timing;
  return noteBytes(peer, Math.min(options.heartbeatMs, announcedMs ?? seenMs ?? options.heartbeatMs), now);
}

function sendsHeartbeats({ announcedMs, hasSentHeartbeat }: HeartbeatTiming): boolean {
  return announcedMs !== undefined || hasSentHeartbeat;
}

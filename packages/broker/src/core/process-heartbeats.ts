// Heartbeats that the process of a worker sends for it from another socket (P-HB-5). The workers of the Ruby package need them:
// while their handler runs, only another thread of the process is able to send.
//
// No frame proves which process its sender is. So the broker accepts these heartbeats only where they can be needed and are
// least likely to be abused: for a worker of the classic wire that has not announced that it handles several requests
// at a time, and from one sender, the first one, which must have appeared within the time that a new worker may be silent
// and must connect from the same host. Every other worker sends its own heartbeats while it works.

import type { PeerId } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";

/** Who may send heartbeats for one worker. */
export interface ProcessHeartbeats {
  /** Where the worker connects from, if that is known. */
  readonly host: string | undefined;
  /** When it is too late for a sender to appear. */
  readonly until: Instant;
  sender: PeerId | undefined;
}

/** A worker, as far as these heartbeats are concerned. */
interface Worker {
  /** `undefined` if only its own messages keep it alive. */
  readonly processHeartbeats: ProcessHeartbeats | undefined;
  readonly concurrency: number;
  readonly heartbeatAt: Instant | undefined;
}

/** Whether a heartbeat for a worker counts. The first sender is remembered. */
export function isFromItsProcess(worker: Worker, from: PeerId, host: string | undefined, now: Instant): boolean {
  const { processHeartbeats, concurrency, heartbeatAt } = worker;
  if (processHeartbeats === undefined || processHeartbeats.host !== host) return false;
  // It has sent a heartbeat of its own, which announces its concurrency.
  if (heartbeatAt !== undefined && concurrency !== 1) return false;
  if (processHeartbeats.sender === undefined && now < processHeartbeats.until) processHeartbeats.sender = from;
  return processHeartbeats.sender === from;
}

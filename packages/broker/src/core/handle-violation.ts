// Messages that break a rule, or that arrive at a listener for the other role. They are reported, and their sender is
// answered where the dialect has an answer.

import { display, type PeerId, type RequestId, type Violation } from "@pigato/protocol";
import { type Instant, violation } from "@pigato/protocol/internal";
import { knownClient, newClient } from "./clients.ts";
import { disconnectWith } from "./disconnect-reason.ts";
import type { DialectId, Input } from "./effects.ts";
import { failRequest } from "./fail-request.ts";
import { handleClient } from "./handle-client.ts";
import { type CoreState, traitsOf } from "./state.ts";
import { onWorkerViolation } from "./workers.ts";

export function handleViolation(
  state: CoreState,
  { from, role, dialect, violation }: Input & { readonly type: "violation" },
): void {
  state.effects.report({ type: "violation", peer: from, role, violation });
  const worker = state.workers.get(from);
  if (dialect === undefined) {
    // D-MDP-9: the message belongs to no dialect. A PIGATO worker stays registered.
    return worker?.traits.dropsInvalid ? onWorkerViolation(state, worker) : undefined;
  }
  if (role === "worker") {
    if (worker !== undefined) return onWorkerViolation(state, worker);
    if (traitsOf(state, dialect).dropsInvalid) return;
    return state.effects.toUnregistered(from, { type: "disconnect" }, dialect);
  }
  if (violation.requestId === undefined) return;
  const open = state.clients.get(from)?.requests.get(violation.requestId);
  if (open?.input === undefined) return refuse(state, from, violation.requestId, dialect, violation);
  // The message may have been a part of its input, which would have a gap.
  failRequest(state, open, "INVALID", `was ended: its client broke ${violation.clause}: ${violation.detail}`);
}

/** D-ROLE-1: a request at the backend is refused, a worker at the frontend is disconnected. */
export function handleWrongListener(
  state: CoreState,
  input: Input & { readonly type: "client-at-backend" | "worker-at-frontend" },
  now: Instant,
): void {
  const { from, message, dialect } = input;
  // The process of a worker may send heartbeats for it from a socket of its own (P-HB-5).
  if (input.type === "client-at-backend" && message.type === "worker-heartbeat") return handleClient(state, input, now);
  const isClient = input.type === "client-at-backend";
  const detail = isClient ? "a client spoke at the backend" : "a worker spoke at the frontend";
  const broken = violation("D-ROLE-1", detail);
  state.effects.report({ type: "violation", peer: from, role: isClient ? "client" : "worker", violation: broken });
  if (message.type === "request") refuse(state, from, message.requestId, dialect, broken);
  // A DISCONNECT is never answered by one (P-DISC-3).
  if (!isClient && message.type !== "disconnect") {
    const offer = message.type === "ready" ? message.offer : undefined;
    const reason = { code: "INVALID", message: `${broken.clause}: ${detail}` } as const;
    state.effects.toUnregistered(from, disconnectWith(offer, reason), dialect);
  }
}

function refuse(
  state: CoreState,
  from: PeerId,
  requestId: RequestId,
  dialect: DialectId,
  { detail, clause }: Violation,
): void {
  const client = knownClient(state, from, dialect) ?? newClient(state, from, dialect);
  // A failure under the id of an open request would end that one.
  if (client.requests.has(requestId)) return;
  const message = `request ${display(requestId)} was refused: ${detail}`;
  state.counts.refusals.INVALID += 1;
  const failure = { code: "INVALID", message, delivery: "not-sent", detail: clause } as const;
  state.effects.toClient(client, { type: "failure", requestId, failure });
}

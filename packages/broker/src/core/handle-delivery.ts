// Inputs of the connections: failed and lost sends, confirmations, and lost peers. Ensures that no reply has a gap and that no
// client waits for a reply that cannot arrive.

import { display, type PeerId } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { loseClient } from "./clients.ts";
import { heldUnder, remove, setWorkerState, targetOf } from "./dispatch.ts";
import type { Input } from "./effects.ts";
import { failRequest } from "./fail-request.ts";
import { confirmReply } from "./held-replies.ts";
import { AT_CLIENT, type QueuedRequest, type WorkerRecord } from "./queued-request.ts";
import { placeOrFail } from "./requeue.ts";
import type { CoreState } from "./state.ts";
import { loseWorker } from "./workers.ts";

type DeliveryInput = Input & {
  readonly type: "undelivered-to-client" | "request-undelivered" | "stream-undelivered" | "handed-over" | "peer-down";
};

const SLOW_CLIENT = "its client reads too slowly, and has reached maxPeerBytes or maxPeerMessages";

export function handleDelivery(state: CoreState, input: DeliveryInput, now: Instant): void {
  switch (input.type) {
    case "undelivered-to-client":
      return onUndeliveredToClient(state, input, now);
    case "request-undelivered":
      return onRequestUndelivered(state, input);
    case "stream-undelivered":
      return onStreamUndelivered(state, input);
    case "handed-over": {
      const request = state.open.byAddress(input.address);
      return request && confirmReply(state, request);
    }
    case "peer-down":
      return onPeerDown(state, input.peer, now);
    default:
      input satisfies never;
  }
}

function onUndeliveredToClient(
  state: CoreState,
  { to, message, reason }: Input & { readonly type: "undelivered-to-client" },
  now: Instant,
): void {
  const client = state.clients.get(to);
  if (client === undefined) return;
  if (reason === "unreachable") return loseClient(state, client, "gone", now);
  switch (message.type) {
    case "partial":
    case "partials": {
      const request = client.requests.get(message.requestId);
      // The id may be that of a newer request by now.
      if (!request?.hasPartial) return;
      // The send of the final message failed as well; that input comes next.
      if (request.location === AT_CLIENT) return;
      return failRequest(state, request, "BUSY", `lost a partial: ${SLOW_CLIENT}`);
    }
    case "credit": {
      // Without it, the client waits forever, and the worker waits for its input.
      const request = client.requests.get(message.requestId);
      if (request?.input === undefined) return;
      return failRequest(state, request, "BUSY", `lost a grant for its input: ${SLOW_CLIENT}`);
    }
    case "final":
      return state.effects.toClient(client, {
        type: "failure",
        requestId: message.requestId,
        failure: {
          code: "BUSY",
          message: `request ${display(message.requestId)} lost its reply: ${SLOW_CLIENT}`,
          delivery: "maybe-executed",
        },
      });
    case "failure":
      // The client does not even get failures, so it would wait for replies that cannot come.
      return loseClient(state, client, "congested", now);
    default:
      return state.effects.reportDrop(to, "undelivered");
  }
}

function onRequestUndelivered(
  state: CoreState,
  { to, address, reason }: Input & { readonly type: "request-undelivered" },
): void {
  const worker = state.workers.get(to);
  const request = worker && heldUnder(state, address, worker);
  if (worker === undefined || request === undefined) return;
  if (reason === "congested") return onCongested(state, request, worker);
  // The worker is gone and never got the request. Its `peer-down` comes next; then any other worker may have the request.
  request.isReceived ??= false;
  setWorkerState(worker, "gone");
}

/** The request waits for this worker or another, unless the worker has sent a message about it: then it runs. */
function onCongested(state: CoreState, request: QueuedRequest, worker: WorkerRecord): void {
  setWorkerState(worker, "congested");
  if (request.isReceived) return;
  const target = targetOf(request);
  remove(state, request);
  placeOrFail(state, request, target);
}

/** Without a grant, the rest of the reply might never come, and neither side would know why. Without a chunk, input has a gap. */
function onStreamUndelivered(
  state: CoreState,
  { to, address, what }: Input & { readonly type: "stream-undelivered" },
): void {
  const worker = state.workers.get(to);
  const request = worker && heldUnder(state, address, worker);
  // A request that never arrived goes to another worker.
  if (request === undefined || request.isReceived === false) return;
  const lost = what === "grant" ? "a grant" : "its input";
  failRequest(state, request, "BUSY", `failed: its worker reads too slowly to receive ${lost}`);
}

function onPeerDown(state: CoreState, peer: PeerId, now: Instant): void {
  const worker = state.workers.get(peer);
  if (worker !== undefined) loseWorker(state, worker, "gone");
  const client = state.clients.get(peer);
  if (client !== undefined) loseClient(state, client, "gone", now);
  state.identities.delete(peer);
}

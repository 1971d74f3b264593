// Streamed input of requests (P-STREAM-7 to P-STREAM-10). The worker grants chunks, its client sends them, and the broker forwards
// both and keeps neither. It counts the chunks that may still be sent: the connection to a worker is shared by all clients, so a client
// that exceeds its grants must not fill it. It cannot count bytes (P-STREAM-11): a client gets a grant later than the broker, so chunks that
// it sent before would count against another credit here than there.
//
// Invariant: a request whose input was granted stays at its worker until it ends, because another one would get the rest only.

import type { FromClient, FromWorker } from "@pigato/protocol";
import { addCredit, excessOf, type Frames, type Instant, MAX_CREDIT, violation } from "@pigato/protocol/internal";
import { restartTimeout } from "./end-request.ts";
import { failRequest } from "./fail-request.ts";
import type { ClientRecord, QueuedRequest, WorkerRecord } from "./queued-request.ts";
import type { CoreState } from "./state.ts";

type InputMessage = FromClient & { readonly type: "input" | "input-end" };

/** A message of a client about the input of its request. */
export function onInput(state: CoreState, client: ClientRecord, message: InputMessage, now: Instant): void {
  const { requestId } = message;
  if (!client.capabilities.duplex) return state.effects.reportDrop(client.id, "unsupported", requestId);
  const request = client.requests.get(requestId);
  // It may have ended while the message was in transit.
  if (request === undefined) return state.effects.reportDrop(client.id, "not-open", requestId);
  const { input, location } = request;
  if (input === undefined) return state.effects.reportDrop(client.id, "unsupported", requestId);
  const fault = faultOf(input, message);
  if (fault !== undefined) return failFaulty(state, request, fault);
  // A request with granted input is always at its worker.
  if (location.at !== "worker") return;
  restartTimeout(state, request, now);
  if (message.type === "input") return forward(state, request, location.worker, message.chunks);
  input.hasEnded = true;
  state.effects.toWorker(location.worker, { type: "input-end", address: request.address, requestId });
}

/** The worker that holds the request takes more chunks of its input, which shows that it reads. */
export function onInputGrant(
  state: CoreState,
  request: QueuedRequest,
  worker: WorkerRecord,
  { chunks }: FromWorker & { readonly type: "credit" },
  now: Instant,
): void {
  const { input, client, id } = request;
  if (input === undefined || !worker.capabilities.duplex) return state.effects.reportDrop(worker.id, "unsupported", id);
  if (chunks === 0) return state.effects.reportDrop(worker.id, "void-credit", id);
  restartTimeout(state, request, now);
  input.isGranted = true;
  input.credit = addCredit(input.credit, chunks);
  state.effects.toClient(client, { type: "credit", requestId: id, chunks });
}

/** P-STREAM-8: how a message violates flow control; `undefined` if it does not, and its credit is spent. */
function faultOf(input: NonNullable<QueuedRequest["input"]>, message: InputMessage): string | undefined {
  const { credit } = input;
  if (input.hasEnded) return "input after its end";
  if (!input.isGranted) return "input before its worker granted any";
  if (message.type === "input-end" || credit === MAX_CREDIT) return undefined;
  const { chunks } = message;
  if (chunks.length > credit) return `${chunks.length} chunks of input where ${credit} were granted`;
  input.credit = credit - chunks.length;
  return undefined;
}

/** Later chunks would follow a gap, so the request ends. */
function failFaulty(state: CoreState, request: QueuedRequest, fault: string): void {
  const broken = violation("P-STREAM-8", fault, request.id);
  state.effects.report({ type: "violation", peer: request.client.id, role: "client", violation: broken });
  failRequest(state, request, "INVALID", `was ended: its client sent ${fault} (${broken.clause})`);
}

/** P-SIZE-1: chunks that are too large for the worker together are sent one by one. */
function forward(state: CoreState, request: QueuedRequest, worker: WorkerRecord, chunks: Frames): void {
  const { address, id: requestId } = request;
  const { bounds } = worker;
  if (bounds === undefined || excessOf(bounds, chunks, undefined) === undefined) {
    return state.effects.toWorker(worker, { type: "input", address, requestId, chunks });
  }
  for (const chunk of chunks) {
    const excess = excessOf(bounds, [chunk], undefined);
    if (excess !== undefined) {
      return failRequest(state, request, "INVALID", `has a chunk of input that is too large for its worker: ${excess}`);
    }
    state.effects.toWorker(worker, { type: "input", address, requestId, chunks: [chunk] });
  }
}

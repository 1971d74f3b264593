// Replies to persistent requests, until their clients have them. The request stays open meanwhile: its id is taken, its
// timeout runs, and the store keeps it. Decides what is held, when it is sent, and what is dropped when there is no room.
//
// A reply is sent whole and in order, or as one failure with the reason. The client has it when the connection has accepted it:
// the shell confirms that after all failed sends. A client that reconnects gets time to repeat its requests first, and a
// repeated request does not run again while its reply is held.

import type { FailureCode } from "@pigato/protocol";
import { excessFor, type Instant } from "@pigato/protocol/internal";
import { remove, serve } from "./dispatch.ts";
import { closeRequest, describe, endRequest, restartTimeout } from "./end-request.ts";
import { type HeldReply, type LossReason, newReply, type ReplyMessage } from "./held-reply-table.ts";
import { AT_CLIENT, type ClientRecord, type QueuedRequest } from "./queued-request.ts";
import { sendMessages } from "./send-reply.ts";
import type { CoreState } from "./state.ts";

/** Whether partials of the reply to this persistent request must be held now. */
export function mustHold(state: CoreState, request: QueuedRequest): boolean {
  return !isReachable(request.client) || state.heldReplies.has(request);
}

export function holdPartial(state: CoreState, request: QueuedRequest, message: ReplyMessage): void {
  add(state, state.heldReplies.get(request) ?? begin(state, request), message);
}

/** The reply to a persistent request is complete: sends it or holds it. @param code of a failure that is already reported */
export function completeReply(
  state: CoreState,
  request: QueuedRequest,
  message: ReplyMessage,
  code: FailureCode | undefined,
): void {
  const { location } = request;
  remove(state, request);
  request.location = AT_CLIENT;
  if (mustHold(state, request)) hold(state, request, [message], code);
  else send(state, { ...newReply(request), messages: [message], code });
  if (location.at === "worker") serve(state, location.worker);
}

/** A client with persistent requests went away. Replies that its connection did not confirm are held again. */
export function holdForAwayClient(state: CoreState, client: ClientRecord, now: Instant): void {
  const { heldReplies } = state;
  if (client.held !== undefined) state.timers.clear(client.held.timer);
  for (const request of [...client.requests]) {
    const sent = heldReplies.sent.get(request);
    if (sent !== undefined) {
      heldReplies.sent.delete(request);
      restartTimeout(state, request, now);
      hold(state, request, sent.messages, sent.code);
    } else if (request.hasPartial && !heldReplies.has(request)) {
      heldReplies.begin(request).loss = "BROKER_LOST";
    }
  }
}

/** A client with persistent requests reconnected: gives it time to repeat them. */
export function waitForRepeats(state: CoreState, client: ClientRecord, now: Instant): void {
  state.timers.set(state.heldReplies.usageOf(client).timer, state.options.settleMs, now);
}

/** Sends a client everything that is held for it, in the order of its requests. */
export function releaseReplies(state: CoreState, client: ClientRecord): void {
  const { heldReplies } = state;
  if (client.held !== undefined) state.timers.clear(client.held.timer);
  for (const request of client.requests) {
    const reply = heldReplies.get(request);
    if (reply === undefined || !fitsBounds(state, reply)) continue;
    // A lost reply to a request that still runs is sent as a failure when the request ends.
    if (!reply.isComplete && reply.loss !== undefined) continue;
    const { isComplete } = reply;
    heldReplies.take(request);
    if (isComplete) send(state, reply);
    else sendMessages(state, client, reply.messages);
    state.effects.report({ type: "reply-delivered", client: client.id, service: request.name, requestId: request.id });
  }
}

/**
 * P-SIZE-1: a client may accept less than on its last connection. Replaces a reply that is too large by a failure.
 * @returns false if there is no room for the failure either, and the request has ended
 */
function fitsBounds(state: CoreState, reply: HeldReply): boolean {
  const { client, id } = reply.request;
  const isTooLarge = reply.messages.some(
    (message) =>
      message.type !== "failure" && excessFor(state.options, client, message, message.trailer[0]) !== undefined,
  );
  if (!isTooLarge) return true;
  state.effects.reportDrop(client.id, "undelivered", id);
  state.heldReplies.clear(reply);
  reply.loss = "INVALID";
  return !reply.isComplete || addFailure(state, reply, "INVALID", undefined);
}

/** The connection of the client took everything that was sent of a reply. */
export function confirmReply(state: CoreState, request: QueuedRequest): void {
  const reply = state.heldReplies.sent.get(request);
  if (reply !== undefined) close(state, reply);
}

/** The timeout of a request passed after its reply was complete: sends the reply to a client that is present. */
export function expireReply(state: CoreState, request: QueuedRequest): void {
  const reply = state.heldReplies.get(request);
  // It was sent and is not confirmed yet.
  if (reply === undefined) return;
  if (request.client.isAway) return giveUp(state, reply, "DEADLINE_EXCEEDED");
  state.heldReplies.take(request);
  send(state, reply);
}

/** The broker drains: clients that are present get their replies now, all others find them after the next start. */
export function releaseAllReplies(state: CoreState): void {
  for (const { request } of state.heldReplies.values()) {
    if (!request.client.isAway) releaseReplies(state, request.client);
  }
  for (const request of [...state.heldReplies.complete]) closeRequest(state, request);
}

function begin(state: CoreState, request: QueuedRequest): HeldReply {
  const { client, name, id } = request;
  state.effects.report({ type: "reply-held", client: client.id, service: name, requestId: id });
  return state.heldReplies.begin(request);
}

/** Holds the last messages of a reply, or sends them if the client waits for nothing else. */
function hold(
  state: CoreState,
  request: QueuedRequest,
  messages: readonly ReplyMessage[],
  code: FailureCode | undefined,
): void {
  if (state.phase.name !== "serving" && request.client.isAway) return closeRequest(state, request);
  const reply = state.heldReplies.get(request) ?? begin(state, request);
  reply.code = code;
  for (const message of messages) add(state, reply, message);
  if (reply.loss !== undefined && !addFailure(state, reply, reply.loss, messages.at(-1))) return;
  state.heldReplies.setComplete(reply);
  if (!isReachable(request.client)) return;
  state.heldReplies.take(request);
  send(state, reply);
}

function add(state: CoreState, reply: HeldReply, message: ReplyMessage): void {
  if (reply.loss !== undefined || addIfRoom(state, reply, message)) return;
  const { client, id } = reply.request;
  state.effects.reportDrop(client.id, "undelivered", id);
  state.heldReplies.clear(reply);
  reply.loss = "BUSY";
}

/** Ends a lost reply with a failure: its own, or one that names the loss. @returns false if there is no room for that */
function addFailure(state: CoreState, reply: HeldReply, loss: LossReason, last: ReplyMessage | undefined): boolean {
  const { request } = reply;
  if (reply.code === undefined) {
    reply.code = loss;
    state.effects.reportFailure(request, loss);
  }
  const failure = last?.type === "failure" ? last : failureOf(request, loss);
  if (addIfRoom(state, reply, failure)) return true;
  giveUp(state, reply, loss);
  return false;
}

/**
 * Holds a message if there is room. Replies that have been complete for longest make room first, but not for a client that holds more
 * than theirs does: clients that fill the table must not cost others their replies.
 */
function addIfRoom(state: CoreState, reply: HeldReply, message: ReplyMessage): boolean {
  const { heldReplies } = state;
  if (!heldReplies.fitsClient(reply, message)) return false;
  while (!heldReplies.hasRoom(reply, message)) {
    const oldest = heldReplies.complete.first;
    const other = oldest && heldReplies.get(oldest);
    if (other === undefined || heldReplies.holdsMore(reply, message, other)) return false;
    giveUp(state, other, "BUSY");
  }
  heldReplies.add(reply, message);
  return true;
}

/** The client will not get this reply. @param why what kept it from the client, if it is no failure itself */
function giveUp(state: CoreState, reply: HeldReply, why: FailureCode): void {
  const { request, code } = reply;
  state.effects.reportDrop(request.client.id, "undelivered", request.id);
  endRequest(state, request, code ?? why);
}

/** The client has the reply. */
function close(state: CoreState, { request, code, messages }: HeldReply): void {
  const last = messages.at(-1);
  const hasFailed = last?.type === "final" && last.status !== 0;
  endRequest(state, request, code ?? (hasFailed ? "WORKER_FAILED" : "answered"));
}

/** Sends a complete reply and asks for a confirmation. */
function send(state: CoreState, reply: HeldReply): void {
  const { request, messages } = reply;
  state.heldReplies.sent.set(request, reply);
  sendMessages(state, request.client, messages);
  // A request that failed before any worker got it has no address yet.
  if (request.address === "") request.address = state.open.addressOf(request);
  state.effects.confirm(request.address);
}

/** Whether a reply may be sent to a client at once. */
function isReachable({ isAway, held }: ClientRecord): boolean {
  return !isAway && held?.timer.list === undefined;
}

const LOSSES: Readonly<Record<LossReason, string>> = {
  BUSY: "the broker could not hold all of it",
  BROKER_LOST: "an earlier connection of the client received a part of it",
  INVALID: "it is larger than the client accepts now",
};

function failureOf({ id, name }: QueuedRequest, code: LossReason): ReplyMessage {
  const message = describe(id, name, `lost its reply while its client was away: ${LOSSES[code]}`);
  return { type: "failure", requestId: id, service: name, failure: { code, message, delivery: "maybe-executed" } };
}

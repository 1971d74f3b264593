// Builds the messages and effects of a worker's session. session.ts and in-flight.ts decide what to send.

import type { LossReason } from "@pigato/peer/session";
import {
  type DisconnectReason,
  display,
  encodePayload,
  type Failure,
  type FromWorker,
  NULL_FRAME,
  type ToWorker,
} from "@pigato/protocol";
import { UNDEFINED_FRAME } from "@pigato/protocol/internal";
import type { Effect, Effects, HandlerInput } from "./effects.ts";
import type { InFlightRequest, RequestRef } from "./request-table.ts";

type ReplyInput = Exclude<HandlerInput, { readonly type: "request-heartbeat" | "input-read" }>;

export function send(message: FromWorker): Effect {
  return { type: "send", message, isUrgent: false };
}

export function sendUrgently(message: FromWorker): Effect {
  return { type: "send", message, isUrgent: true };
}

/** Without negotiation, the options of an error or a rejection are the word `undefined`, as the original sends them. */
export function replyMessage(
  { address, requestId, isFramed }: InFlightRequest,
  input: ReplyInput,
  negotiate: boolean,
): FromWorker {
  if (input.type === "reject") {
    const named = { address, requestId, reason: input.reason };
    return negotiate ? { type: "reject", ...named } : { type: "reject", ...named, options: UNDEFINED_FRAME };
  }
  const status = input.type === "final" ? input.status : 0;
  const options = status === -1 && !negotiate ? UNDEFINED_FRAME : input.options;
  const reply = { type: input.type, address, requestId, status, body: input.body, trailer: [options] };
  return isFramed && status === 0 ? { ...reply, isRaw: true } : reply;
}

/** A final reply with an error that the worker itself made. */
export function errorReply({ address, requestId }: RequestRef, code: Failure["code"], message: string): FromWorker {
  const body = [encodePayload({ name: "RequestError", message, code }, NULL_FRAME)];
  return { type: "final", address, requestId, status: -1, body, trailer: [] };
}

/** P-SIZE-2. @param excess by what the request exceeds what the worker accepts */
export function tooLargeReply(request: RequestRef, excess: string): FromWorker {
  return errorReply(request, "INVALID", `request ${display(request.requestId)} is too large for its worker: ${excess}`);
}

export function closeLink(reason: LossReason, wasConnected: boolean, sendsDisconnect: boolean): Effects {
  const effects: Effect[] = sendsDisconnect ? [sendUrgently({ type: "disconnect" })] : [];
  effects.push({ type: "close", flush: sendsDisconnect });
  if (wasConnected) effects.push({ type: "disconnected", reason });
  return effects;
}

/** A broker that stops is no fault. */
export function disconnectReport({ code, message }: DisconnectReason): Effects {
  return code === "CLOSED" ? [] : [{ type: "report", message: `the broker disconnected the worker: ${message}` }];
}

/** P-CANCEL-2. */
export function cancelFailure({ requestId, reason }: Extract<ToWorker, { readonly type: "cancel" }>): Failure {
  if (reason !== undefined) return failureOf(reason.code, reason.message);
  return failureOf("CANCELED", `request ${display(requestId)} was canceled by its client`);
}

export function failureOf(code: Failure["code"], message: string): Failure {
  return { code, message, delivery: "maybe-executed" };
}

export function report(clause: string, detail: string): Effect {
  return { type: "report", message: `${clause}: ${detail}` };
}

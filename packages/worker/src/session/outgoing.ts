// What a worker's session wants done, in the words of its effects: decisions are made in session.ts, here they are put
// into messages.

import { type Failure, type FromWorker, type LossReason, UNDEFINED_FRAME } from "@pigato/protocol";
import type { Effect, HandlerInput } from "./effects.ts";

export function send(message: FromWorker): Effect {
  return { type: "send", message, isUrgent: false };
}

export function sendUrgently(message: FromWorker): Effect {
  return { type: "send", message, isUrgent: true };
}

/** On the plain classic wire, what ends without an answer has the word `undefined` for its options. */
export function messageOf(input: HandlerInput, negotiate: boolean): FromWorker {
  const { address, requestId } = input.call;
  if (input.type === "reject") {
    const named = { address, requestId, reason: input.reason };
    return negotiate ? { type: "reject", ...named } : { type: "reject", ...named, options: UNDEFINED_FRAME };
  }
  const status = input.type === "final" ? input.status : 0;
  const options = status === -1 && !negotiate ? UNDEFINED_FRAME : input.options;
  return { type: input.type, address, requestId, status, body: input.body, trailer: [options] };
}

export function hangUp(reason: LossReason, wasConnected: boolean, saysGoodbye: boolean): readonly Effect[] {
  const effects: Effect[] = saysGoodbye ? [sendUrgently({ type: "disconnect" })] : [];
  effects.push({ type: "close", flush: saysGoodbye });
  if (wasConnected) effects.push({ type: "disconnected", reason });
  return effects;
}

export function failureOf(code: Failure["code"], message: string): Failure {
  return { code, message, delivery: "maybe-executed" };
}

export function trouble(clause: string, detail: string): Effect {
  return { type: "trouble", message: `${clause}: ${detail}` };
}

// What one message looks like on the wire and what it means: written by hand from what real peers send, never made by
// the codec that it tests. One listing serves the tests of every implementation and the table in
// docs/reference/protocol.md.

import {
  type Capabilities,
  type Frame,
  type FromClient,
  type FromWorker,
  NO_CAPABILITIES,
  type RequestId,
  type RequestOptions,
  requestId,
  serviceName,
  type ToClient,
  type ToWorker,
} from "@pigato/protocol";

/** A row of "Messages at a glance" in docs/reference/protocol.md. */
export type Row =
  | "any"
  | "1"
  | "2"
  | "3"
  | "4"
  | "5"
  | "6"
  | "7"
  | "8"
  | "9"
  | "10"
  | "11"
  | "12"
  | "13"
  | "14"
  | "15"
  | "16"
  | "17"
  | "18"
  | "19"
  | "request-heartbeat"
  | "offer"
  | "answer"
  | "goodbye"
  | "cancel"
  | "partials"
  | "credit"
  | "input"
  | "input-end"
  | "notice"
  | "error";

/** What a decoder must say of frames that it refuses; its words are its own. */
export interface Refusal {
  readonly type: "violation";
  readonly clause: string;
  readonly requestId?: RequestId;
}

/**
 * - `both`: the frames decode to the message and the message encodes to the frames
 * - `decode`: what some peers send; we write the same message in another way, or do not write it at all
 * - `encode`: what we write for peers that read it as another message
 */
export type Ways = "both" | "decode" | "encode";

export interface Listed<Message> {
  /** What it shows. */
  readonly name: string;
  readonly row: Row;
  /** The clause of docs/reference/protocol.md that it is an example of. */
  readonly clause: string;
  readonly ways: Ways;
  /** Every character stands for one byte, so that frames that are no text can be written, too. */
  readonly frames: readonly string[];
  readonly message: Message | Refusal;
}

export type Vector =
  | (Listed<FromClient> & { readonly direction: "client to broker" })
  | (Listed<FromWorker> & { readonly direction: "worker to broker" })
  | (Listed<ToClient> & { readonly direction: "broker to client"; readonly capabilities: Capabilities })
  | (Listed<ToWorker> & { readonly direction: "broker to worker" });

export type Direction = Vector["direction"];

export function frame(bytes: string): Frame {
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

export function frames(...bytes: readonly string[]): readonly Frame[] {
  return bytes.map(frame);
}

export function refused(clause: string, id?: string): Refusal {
  return id === undefined ? { type: "violation", clause } : { type: "violation", clause, requestId: requestId(id) };
}

/** What a request means whose options say nothing. */
const NOTHING_SAID: RequestOptions = {
  timeoutMs: 60_000,
  retry: false,
  worker: undefined,
  failFast: false,
  noCache: false,
  persist: false,
  notices: false,
};

export function request(
  service: string,
  id: string,
  data: string,
  trailer: readonly string[] = [],
  options: Partial<RequestOptions> = {},
): Extract<FromClient, { type: "request" }> {
  return {
    type: "request",
    service: serviceName(service),
    requestId: requestId(id),
    body: frames(data),
    trailer: frames(...trailer),
    options: { ...NOTHING_SAID, ...options },
  };
}

export function reply<Type extends "partial" | "final">(
  type: Type,
  id: string,
  status: number,
  data: string,
  trailer: readonly string[] = [],
): Omit<Extract<ToClient, { type: "final" }>, "type"> & { readonly type: Type } {
  return { type, requestId: requestId(id), status, body: frames(data), trailer: frames(...trailer) };
}

/** Capabilities that are spelled out where they differ from none. */
export function capable(of: Partial<Capabilities>): Capabilities {
  return { ...NO_CAPABILITIES, ...of };
}

// ZMTP commands. The body of a command frame is a name, with its length in the first byte, and data. PING carries a time to live
// in tenths of a second and a context that PONG returns; SUBSCRIBE and CANCEL carry a prefix; ERROR carries a reason.

import type { Mechanism } from "../security/auth-request.ts";
import { rejectionOfStatus } from "../zap/authenticator.ts";
import { MAX_SHORT_SIZE, protocolViolation, type Violation } from "./wire.ts";

export interface Command {
  readonly name: string;
  readonly data: Buffer;
}

/** A command that may follow the handshake. */
export type TrafficCommand =
  | { readonly type: "ping"; readonly ttlMs: number; readonly context: Uint8Array }
  | { readonly type: "subscribe" | "cancel"; readonly prefix: string }
  | { readonly type: "ignored" };

const MS_PER_TTL_UNIT = 100;
const MAX_TTL_UNITS = 0xffff;
const MAX_CONTEXT_BYTES = 16;
const NO_CONTEXT = new Uint8Array(0);
const IGNORED: TrafficCommand = Object.freeze({ type: "ignored" });

/** Encodes the body of a command frame. */
export function encodeCommand(name: string, ...data: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(name.length), Buffer.from(name, "latin1"), ...data]);
}

/** The reason of ERROR for a routing id that is invalid, or belongs to another connection. Text for people follows. */
const ROUTING_ID_REASON = "ROUTING_ID: ";

/** ERROR for a routing id. Its peer may try again, so only one that says that it will gets it. */
export function encodeRoutingIdError(detail: string): Buffer {
  return encodeError(`${ROUTING_ID_REASON}${detail}`);
}

/** @param reason at most 255 bytes of it are sent */
export function encodeError(reason: string): Buffer {
  const text = Buffer.from(reason, "latin1").subarray(0, MAX_SHORT_SIZE);
  return encodeCommand("ERROR", Uint8Array.of(text.length), text);
}

/** @param ttlMs the other end may close the connection after as many milliseconds without data from this end */
export function encodePing(ttlMs: number): Buffer {
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(Math.min(MAX_TTL_UNITS, Math.ceil(ttlMs / MS_PER_TTL_UNIT)));
  return encodeCommand("PING", ttl);
}

export function encodePong(context: Uint8Array): Buffer {
  return encodeCommand("PONG", context);
}

/** @param prefix a byte string */
export function encodeSubscribe(prefix: string): Buffer {
  return encodeCommand("SUBSCRIBE", Buffer.from(prefix, "latin1"));
}

/** As ZMTP 3.0 encodes it: a message that starts with 1. */
export function encodeSubscribe30(prefix: string): Buffer {
  return Buffer.from(`\u0001${prefix}`, "latin1");
}

/**
 * How libzmq 4.3 starts ERROR with PLAIN: it writes `"\x5ERROR"` where C++ reads `"\x5E"` as one character. Its client expects the
 * same and takes a correct ERROR for a violation; either way it is rejected.
 */
const LIBZMQ_PLAIN_ERROR = Buffer.from("^RROR");

/** Splits the body of a command frame. The data is a view of it. */
export function splitCommand(body: Buffer): Command | Violation {
  if (
    body.length > LIBZMQ_PLAIN_ERROR.length &&
    LIBZMQ_PLAIN_ERROR.equals(body.subarray(0, LIBZMQ_PLAIN_ERROR.length))
  ) {
    return { name: "ERROR", data: body.subarray(LIBZMQ_PLAIN_ERROR.length) };
  }
  const nameBytes = body[0] ?? 0;
  const dataAt = 1 + nameBytes;
  if (nameBytes === 0 || dataAt > body.length) return protocolViolation("a command without a name");
  return { name: body.toString("latin1", 1, dataAt), data: body.subarray(dataAt) };
}

/** Decodes a command after the handshake. @param body what the result keeps of it is copied */
export function decodeTrafficCommand(body: Buffer, mechanism: Mechanism): TrafficCommand | Violation {
  const command = splitCommand(body);
  if ("code" in command) return command;
  const { name, data } = command;
  switch (name) {
    case "PING":
      return decodePing(data);
    case "SUBSCRIBE":
      return { type: "subscribe", prefix: data.toString("latin1") };
    case "CANCEL":
      return { type: "cancel", prefix: data.toString("latin1") };
    case "ERROR":
      return decodeError(data, mechanism);
    case "READY":
      return protocolViolation("READY after the handshake");
    default:
      // PONG, or a command of a later version of ZMTP.
      return IGNORED;
  }
}

/** Decodes the data of ERROR: the other end rejects this one. libzmq sends the status of its ZAP handler as the reason. */
export function decodeError(data: Buffer, mechanism: Mechanism): Violation {
  const reason = data.toString("latin1", 1, 1 + (data[0] ?? 0));
  if (reason.startsWith(ROUTING_ID_REASON)) {
    return { code: "ROUTING_ID", detail: reason.slice(ROUTING_ID_REASON.length) };
  }
  return (
    rejectionOfStatus(reason, mechanism) ?? {
      code: "REFUSED",
      detail: `the peer rejected the connection: ${JSON.stringify(reason)}`,
    }
  );
}

function decodePing(data: Buffer): TrafficCommand | Violation {
  if (data.length < 2) return protocolViolation("a PING without a time to live");
  if (data.length > 2 + MAX_CONTEXT_BYTES) {
    return protocolViolation(`a PING with more than ${MAX_CONTEXT_BYTES} bytes of context`);
  }
  const context = data.length === 2 ? NO_CONTEXT : Uint8Array.from(data.subarray(2));
  return { type: "ping", ttlMs: data.readUInt16BE(0) * MS_PER_TTL_UNIT, context };
}

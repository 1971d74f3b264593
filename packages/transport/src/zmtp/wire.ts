// The ZMTP frame format (RFC 37 "Framing"; RFC 23 has the same): one byte of flags, the size in one byte or, if it is long, in
// eight bytes, then the body. Besides, the value that reports a peer's violation of the protocol.

import type { RejectionCode } from "../link.ts";
import type { Mechanism } from "../security/auth-request.ts";

export const MORE = 1;
export const LONG = 2;
export const COMMAND = 4;
/** The other bits must be zero. */
export const ALL_FLAGS: number = MORE | LONG | COMMAND;

export const SHORT_HEADER_BYTES = 2;
export const LONG_HEADER_BYTES = 9;
export const MAX_SHORT_SIZE = 255;

/** No known command is nearly as long. A peer's metadata must fit. */
export const MAX_COMMAND_BYTES: number = 16 * 1024;

/** What the other end did that ends its connection. It is a value: nothing in this folder throws for bytes of a peer. */
export interface Violation {
  readonly code: RejectionCode;
  readonly detail: string;
  readonly mechanism?: Mechanism;
  readonly cause?: unknown;
}

/** The other end sent bytes that are not ZMTP 3, or not allowed now. */
export function protocolViolation(detail: string): Violation {
  return { code: "PROTOCOL", detail };
}

export function encodeFrame(flags: number, body: Uint8Array): Buffer {
  const isLong = body.length > MAX_SHORT_SIZE;
  const header = Buffer.alloc(isLong ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES);
  header[0] = isLong ? flags | LONG : flags;
  if (isLong) header.writeUInt32BE(body.length, LONG_HEADER_BYTES - 4);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

/** Reads the size of a long frame. One beyond 2^53 becomes inexact, and exceeds every bound. */
export function readLongSize(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

// Names as byte strings: one character (U+0000 to U+00FF) per byte. Routing ids, request ids and service names are bytes and
// need not be UTF-8; a byte string compares, hashes and encodes exactly. For ASCII, the byte string and the text are the same
// string. This is the only file with type assertions.

import type { Frame, FrameToSend } from "./frame.ts";

// Read once, because the global `Buffer` of Node is a getter.
const { from } = Buffer;
const { latin1Slice, utf8Slice } = Buffer.prototype;

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The routing id of a connected peer, as a byte string. Unique among the peers of one broker. */
export type PeerId = Branded<"PeerId">;
/** The id that a client chose for a request, as a byte string. Unique only within that client. */
export type RequestId = Branded<"RequestId">;
/** The name of a service, as a byte string. Any bytes are a name; `__proto__` is just a name. */
export type ServiceName = Branded<"ServiceName">;

/** The most bytes of a service name, a request id or a client address on the wire. */
export const MAX_NAME_BYTES = 255;

/** Whether a frame has the length of a name that must not be empty: 1 to `MAX_NAME_BYTES`. */
export function isName(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length > 0 && frame.length <= MAX_NAME_BYTES;
}

/** Brands a byte string, e.g. a routing id from a link, as a `PeerId`. */
export function peerId(bytes: string): PeerId {
  return bytes as PeerId;
}

/** Brands a byte string as a `RequestId`. */
export function requestId(bytes: string): RequestId {
  return bytes as RequestId;
}

/** Brands a byte string as a `ServiceName`. */
export function serviceName(bytes: string): ServiceName {
  return bytes as ServiceName;
}

/** A service name from text: its UTF-8 bytes. */
export function serviceNameFromText(text: string): ServiceName {
  return bytesOfText(text) as ServiceName;
}

/** A peer id from text, e.g. from `workerId`: its UTF-8 bytes. */
export function peerIdFromText(text: string): PeerId {
  return bytesOfText(text) as PeerId;
}

/** A request id from text: its UTF-8 bytes. */
export function requestIdFromText(text: string): RequestId {
  return bytesOfText(text) as RequestId;
}

/** A frame read as a byte string. */
export function readBytes(frame: Frame): string {
  return latin1Slice.call(frame);
}

/** A byte string written as a frame. */
export function writeBytes(bytes: string): Frame {
  return from(bytes, "latin1");
}

/** A frame to send, as bytes. */
export function asFrame(frame: FrameToSend): Frame {
  return typeof frame === "string" ? writeBytes(frame) : frame;
}

/** A frame read as UTF-8 text. */
export function readText(frame: Frame): string {
  return utf8Slice.call(frame);
}

/** Text written as a frame of UTF-8. */
export function writeText(text: string): Frame {
  return from(text, "utf8");
}

/** A byte string for logs and error texts, decoded as UTF-8. */
export function display(bytes: string): string {
  return isAscii(bytes) ? bytes : readText(writeBytes(bytes));
}

/** The text that a byte string encodes; `undefined` if it is not UTF-8. */
export function exactText(bytes: string): string | undefined {
  if (isAscii(bytes)) return bytes;
  const text = readText(writeBytes(bytes));
  return bytesOfText(text) === bytes ? text : undefined;
}

/**
 * Whether a text can be written as UTF-8. A lone half of a surrogate pair cannot: it becomes U+FFFD, so that different names would be
 * the same.
 */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function bytesOfText(text: string): string {
  return isAscii(text) ? text : readBytes(writeText(text));
}

const CONTROL_CHARACTER = /\p{Cc}/u;

/** Whether a text has a character of U+0000 to U+001F or U+007F to U+009F. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL_CHARACTER.test(text);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

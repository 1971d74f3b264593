// Names as the wire carries them: byte strings, one character (U+0000 to U+00FF) for each byte. Routing ids, request
// ids and service names are bytes and need not be UTF-8; a byte string compares, hashes and re-encodes exactly. For
// ASCII, a byte string and the text it stands for are the same string. This is the only file with type assertions.

import type { Frame, FrameToSend } from "./frame.ts";

// Taken once, because Node's global `Buffer` is a getter that is called anew each time.
const { from } = Buffer;
const { latin1Slice, utf8Slice } = Buffer.prototype;

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The routing id of a connected peer, as a byte string. Unique among the peers of one broker. */
export type PeerId = Branded<"PeerId">;
/** The id a client gave one of its requests, as a byte string. Unique only together with that client. */
export type RequestId = Branded<"RequestId">;
/** The name of a service, as a byte string. Any bytes are a name; `__proto__` is just a name. */
export type ServiceName = Branded<"ServiceName">;

/** The most bytes that a service name, a request id or a client address may have on the wire. */
export const MAX_NAME_BYTES = 255;

/** Turns a byte string, e.g. the peer that a link names, into a `PeerId`. */
export function peerId(bytes: string): PeerId {
  return bytes as PeerId;
}

/** Turns a byte string into a `RequestId`. */
export function requestId(bytes: string): RequestId {
  return bytes as RequestId;
}

/** Turns a byte string into a `ServiceName`. */
export function serviceName(bytes: string): ServiceName {
  return bytes as ServiceName;
}

/** The service name that a program writes as text: its UTF-8 bytes. */
export function serviceNameFromText(text: string): ServiceName {
  return bytesOfText(text) as ServiceName;
}

/** The peer id that a program writes as text, e.g. in `workerId`: its UTF-8 bytes. */
export function peerIdFromText(text: string): PeerId {
  return bytesOfText(text) as PeerId;
}

/** The request id that a program writes as text: its UTF-8 bytes. */
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

/** A frame on its way out, as bytes. */
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

/** What to show of a byte string in messages and logs: the text it encodes, if it is UTF-8. */
export function display(bytes: string): string {
  return isAscii(bytes) ? bytes : readText(writeBytes(bytes));
}

/** The text that a byte string encodes; `undefined` if it is no UTF-8. */
export function exactText(bytes: string): string | undefined {
  if (isAscii(bytes)) return bytes;
  const text = readText(writeBytes(bytes));
  return bytesOfText(text) === bytes ? text : undefined;
}

function bytesOfText(text: string): string {
  return isAscii(text) ? text : readBytes(writeText(text));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

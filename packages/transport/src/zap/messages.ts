// The messages of ZAP 1.0 (ZeroMQ RFC 27) as its handler has them: requests to read, replies to write. Pure.
//
//   request: [envelope…, '', "1.0", request id, domain, address, identity, mechanism, credentials…]
//   reply:   [envelope…, '', "1.0", request id, status code, status text, user id, metadata]
//
// The envelope is whatever stands before the first empty frame, and goes back as it came: there may be proxies in between.

import type { Applicant } from "../security/applicant.ts";
import { encodeZ85 } from "../security/z85.ts";

type Frames = readonly Uint8Array[];

/** Whom to answer, and what about. */
export interface ZapTicket {
  readonly envelope: Frames;
  readonly requestId: Uint8Array;
}

export type ZapRequest =
  | { readonly type: "request"; readonly ticket: ZapTicket; readonly applicant: Applicant }
  /** What it is about cannot be told, but who asks. */
  | { readonly type: "malformed"; readonly ticket: ZapTicket; readonly detail: string }
  /** Nobody can be answered. */
  | { readonly type: "unreadable" };

/** 200 let in, 300 try again later, 400 keep out, 500 it could not be found out. */
export type ZapStatus = "200" | "300" | "400" | "500";

const VERSION = "1.0";
const MAX_ENVELOPE_FRAMES = 16;
const MAX_TEXT_BYTES = 255;
const CURVE_KEY_BYTES = 32;
const PRINTABLE = /^[ -~]{0,255}$/;
const EMPTY = new Uint8Array();

const STATUS_TEXTS: Readonly<Record<ZapStatus, string>> = {
  "200": "OK",
  "300": "too many at once",
  "400": "not let in",
  "500": "internal error",
};

export function readZapRequest(frames: Frames): ZapRequest {
  const delimiter = frames.findIndex(({ length }) => length === 0);
  const envelope = frames.slice(0, delimiter + 1);
  const [version, requestId, ...rest] = frames.slice(delimiter + 1);
  if (delimiter < 0 || delimiter > MAX_ENVELOPE_FRAMES || requestId === undefined) return { type: "unreadable" };
  const ticket = { envelope, requestId };
  if (version === undefined || textOf(version) !== VERSION) return malformed(ticket, "it is of another version");
  const applicant = applicantIn(rest);
  return typeof applicant === "string" ? malformed(ticket, applicant) : { type: "request", ticket, applicant };
}

/** @param applicant who is let in; there is a user id for nobody else */
export function writeZapReply(
  { envelope, requestId }: ZapTicket,
  status: ZapStatus,
  applicant: Applicant | undefined,
): Frames {
  const userId = status === "200" && applicant !== undefined ? userIdOf(applicant) : "";
  const texts = [status, STATUS_TEXTS[status], userId].map((text) => Buffer.from(text, "latin1"));
  return [...envelope, Buffer.from(VERSION), requestId, ...texts, EMPTY];
}

/** @returns what is wrong, if anything is */
function applicantIn([domain, address, identity, mechanism, ...credentials]: Frames): Applicant | string {
  if (domain === undefined || address === undefined || identity === undefined || mechanism === undefined) {
    return "it is too short";
  }
  const texts = [domain, address, mechanism, ...credentials].map(textOf);
  const place = { domain: texts[0], address: texts[1] };
  if (place.domain === undefined || place.address === undefined) return "its domain or its address is no text";
  return shownBy(texts[2], credentials, { domain: place.domain, address: place.address });
}

function shownBy(
  mechanism: string | undefined,
  credentials: Frames,
  place: { readonly domain: string; readonly address: string },
): Applicant | string {
  const [first, second] = credentials;
  switch (mechanism) {
    case "NULL":
      return credentials.length === 0 ? { mechanism, ...place } : "NULL has no credentials";
    case "PLAIN": {
      const [username, password] = [first && textOf(first), second && textOf(second)];
      if (credentials.length !== 2 || username === undefined || password === undefined) {
        return "the credentials of PLAIN are a name and a password";
      }
      return { mechanism, ...place, username, password };
    }
    case "CURVE":
      if (credentials.length !== 1 || first?.length !== CURVE_KEY_BYTES) return "the credentials of CURVE are one key";
      return { mechanism, ...place, publicKey: encodeZ85(first) };
    default:
      return "its mechanism is none of NULL, PLAIN, CURVE";
  }
}

function userIdOf(applicant: Applicant): string {
  switch (applicant.mechanism) {
    case "NULL":
      return "";
    case "PLAIN":
      return PRINTABLE.test(applicant.username) ? applicant.username : "";
    case "CURVE":
      return applicant.publicKey;
    default:
      return applicant satisfies never;
  }
}

function malformed(ticket: ZapTicket, detail: string): ZapRequest {
  return { type: "malformed", ticket, detail };
}

/** `undefined` for what is too long or no UTF-8: bytes that differ must not become the same text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_TEXT_BYTES) return undefined;
  const text = Buffer.prototype.utf8Slice.call(bytes, 0, bytes.length);
  return Buffer.compare(Buffer.from(text, "utf8"), bytes) === 0 ? text : undefined;
}

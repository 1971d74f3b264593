// The messages of ZAP 1.0 (ZeroMQ RFC 27): decodes requests, encodes replies. Pure.
//
//   request: [envelope…, '', "1.0", request id, domain, address, identity, mechanism, credentials…]
//   reply:   [envelope…, '', "1.0", request id, status code, status text, user id, metadata]
//
// The envelope is every frame up to the first empty one. It goes back unchanged, because proxies may have added to it.

import type { AuthRequest, Credentials } from "../security/auth-request.ts";
import { encodeZ85 } from "../security/z85.ts";
import type { ZapStatus } from "./authenticator.ts";

type Frames = readonly Uint8Array[];

/** Whom to answer, and under which id. */
export interface ZapTicket {
  readonly envelope: Frames;
  readonly requestId: Uint8Array;
}

export type ZapRequest =
  | { readonly type: "request"; readonly ticket: ZapTicket; readonly request: AuthRequest }
  /** It can be answered, but not understood. */
  | { readonly type: "malformed"; readonly ticket: ZapTicket; readonly detail: string }
  /** It cannot even be answered. */
  | { readonly type: "unreadable" };

const VERSION = "1.0";
const MAX_ENVELOPE_FRAMES = 16;
const MAX_TEXT_BYTES = 255;
const CURVE_KEY_BYTES = 32;
const PRINTABLE = /^[ -~]{0,255}$/;
const EMPTY = new Uint8Array();

const STATUS_TEXTS: Readonly<Record<ZapStatus, string>> = {
  "200": "OK",
  "300": "too many at once",
  "400": "denied",
  "500": "internal error",
};

export function readZapRequest(frames: Frames): ZapRequest {
  const delimiter = frames.findIndex(({ length }) => length === 0);
  const envelope = frames.slice(0, delimiter + 1);
  const [version, requestId, ...rest] = frames.slice(delimiter + 1);
  if (delimiter < 0 || delimiter > MAX_ENVELOPE_FRAMES || requestId === undefined) return { type: "unreadable" };
  const ticket = { envelope, requestId };
  if (version === undefined || textOf(version) !== VERSION) return malformed(ticket, "its version is not 1.0");
  const request = readRequest(rest);
  return typeof request === "string" ? malformed(ticket, request) : { type: "request", ticket, request };
}

/** Encodes a reply. Only an authorized peer gets a user id. */
export function writeZapReply({ envelope, requestId }: ZapTicket, status: ZapStatus, request?: AuthRequest): Frames {
  const userId = status === "200" && request !== undefined ? userIdOf(request) : "";
  const texts = [status, STATUS_TEXTS[status], userId].map((text) => Buffer.from(text, "latin1"));
  return [...envelope, Buffer.from(VERSION), requestId, ...texts, EMPTY];
}

/** @returns the request, or what is wrong with it */
function readRequest([domain, address, identity, mechanism, ...credentials]: Frames): AuthRequest | string {
  if (domain === undefined || address === undefined || identity === undefined || mechanism === undefined) {
    return "it has fewer than six frames";
  }
  const [domainText, addressText] = [textOf(domain), textOf(address)];
  if (domainText === undefined || addressText === undefined) return "its domain or its address is not text";
  const shown = readCredentials(textOf(mechanism), credentials);
  return typeof shown === "string" ? shown : { domain: domainText, address: addressText, ...shown };
}

function readCredentials(mechanism: string | undefined, credentials: Frames): Credentials | string {
  const [first, second] = credentials;
  switch (mechanism) {
    case "NULL":
      return credentials.length === 0 ? { mechanism } : "NULL has credentials";
    case "PLAIN": {
      const [username, password] = [first && textOf(first), second && textOf(second)];
      if (credentials.length !== 2 || username === undefined || password === undefined) {
        return "PLAIN needs a username and a password";
      }
      return { mechanism, username, password };
    }
    case "CURVE":
      if (credentials.length !== 1 || first?.length !== CURVE_KEY_BYTES) return "CURVE needs one key";
      return { mechanism, publicKey: encodeZ85(first) };
    default:
      return "its mechanism is not NULL, PLAIN or CURVE";
  }
}

/** The identity of an authenticated peer; empty if it is unknown. */
export function userIdOf(request: Credentials): string {
  switch (request.mechanism) {
    case "NULL":
      return "";
    case "PLAIN":
      return PRINTABLE.test(request.username) ? request.username : "";
    case "CURVE":
      return request.publicKey;
    default:
      return request satisfies never;
  }
}

function malformed(ticket: ZapTicket, detail: string): ZapRequest {
  return { type: "malformed", ticket, detail };
}

/** `undefined` for what is too long or not UTF-8: different bytes must not decode to the same text. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_TEXT_BYTES) return undefined;
  const text = Buffer.prototype.utf8Slice.call(bytes, 0, bytes.length);
  return Buffer.compare(Buffer.from(text, "utf8"), bytes) === 0 ? text : undefined;
}

// Keys of CURVE (ZeroMQ RFC 25): 32 bytes each, points and numbers of Curve25519, which Node can make and compute with.
// So nobody needs libzmq to look after keys.

import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { decodeZ85, encodeZ85 } from "./z85.ts";

const KEY_BYTES = 32;
/** What stands before the bytes of an X25519 secret key in PKCS #8 (RFC 8410), and before those of a public key in SPKI. */
const SECRET_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX_BYTES = 12;

/** A key: 40 characters of Z85 text, or 32 bytes. */
export type CurveKey = string | Uint8Array;

/** A key pair as Z85 text. */
export interface CurveKeyPair {
  /** For everybody to know. */
  readonly publicKey: string;
  /** For its owner alone: whoever has it is its owner. */
  readonly secretKey: string;
}

/** Makes a key pair, for a broker, a client or a worker. */
export function newCurveKeyPair(): CurveKeyPair {
  const { privateKey } = generateKeyPairSync("x25519");
  const secretKey = encodeZ85(privateKey.export({ type: "pkcs8", format: "der" }).subarray(SECRET_PREFIX.length));
  return { publicKey: curvePublicKey(secretKey), secretKey };
}

/**
 * The public key that belongs to a secret one.
 * @param secretKey 40 characters of Z85 text, or 32 bytes
 * @throws RangeError for what is no key; its text does not show what it was
 */
export function curvePublicKey(secretKey: CurveKey): string {
  const secret = decodeZ85(readCurveKey(secretKey) ?? "~");
  if (secret === undefined) throw new RangeError(`a secret key is ${CURVE_KEY_FORM}`);
  const key = createPrivateKey({ key: Buffer.concat([SECRET_PREFIX, secret]), format: "der", type: "pkcs8" });
  return encodeZ85(createPublicKey(key).export({ type: "spki", format: "der" }).subarray(PUBLIC_PREFIX_BYTES));
}

/** What `readCurveKey` takes, in words. */
export const CURVE_KEY_FORM = "40 characters of Z85 text or 32 bytes";

/** A key as Z85 text; `undefined` for what is none. */
export function readCurveKey(value: unknown): string | undefined {
  if (typeof value === "string") return decodeZ85(value)?.length === KEY_BYTES ? value : undefined;
  return value instanceof Uint8Array && value.length === KEY_BYTES ? encodeZ85(value) : undefined;
}

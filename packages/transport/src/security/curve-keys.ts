// CURVE keys (ZeroMQ RFC 25): Curve25519 points and scalars of 32 bytes. Node generates and checks them without libzmq.

import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { isUint8Array } from "node:util/types";
import { decodeZ85, encodeZ85 } from "./z85.ts";

const KEY_BYTES = 32;
/** The header of an X25519 secret key in PKCS #8 (RFC 8410), and the length of a public key's header in SPKI. */
const SECRET_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX_BYTES = 12;

/** A key: 40 characters of Z85 text, which white space may surround as in a file, or 32 bytes. */
export type CurveKey = string | Uint8Array;

/** A key pair as Z85 text. */
export interface CurveKeyPair {
  /** May be published. */
  readonly publicKey: string;
  /** Proves the identity of its owner. Keep it secret. */
  readonly secretKey: string;
}

/** Generates a key pair for a broker, a client or a worker. */
export function newCurveKeyPair(): CurveKeyPair {
  const { privateKey } = generateKeyPairSync("x25519");
  const secretKey = encodeZ85(privateKey.export({ type: "pkcs8", format: "der" }).subarray(SECRET_PREFIX.length));
  return { publicKey: curvePublicKey(secretKey), secretKey };
}

/**
 * Computes the public key that belongs to a secret key.
 * @param secretKey 40 characters of Z85 text, or 32 bytes
 * @throws RangeError for an invalid key; the message does not contain it
 */
export function curvePublicKey(secretKey: CurveKey): string {
  const secret = decodeZ85(readCurveKey(secretKey) ?? "~");
  if (secret === undefined) throw new RangeError(`a secret key is ${CURVE_KEY_FORM}`);
  const key = createPrivateKey({ key: Buffer.concat([SECRET_PREFIX, secret]), format: "der", type: "pkcs8" });
  return encodeZ85(createPublicKey(key).export({ type: "spki", format: "der" }).subarray(PUBLIC_PREFIX_BYTES));
}

/** Describes a key in error messages. */
export const CURVE_KEY_FORM = "40 characters of Z85 text or 32 bytes";

/** Converts a key to Z85 text, which contains no white space; `undefined` for an invalid key. */
export function readCurveKey(value: unknown): string | undefined {
  if (typeof value === "string") {
    const text = value.trim();
    return decodeZ85(text)?.length === KEY_BYTES ? text : undefined;
  }
  return isUint8Array(value) && value.length === KEY_BYTES ? encodeZ85(value) : undefined;
}

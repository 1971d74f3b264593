// Security settings of a link, validated once when a peer or a broker is created, and independent of the transport that applies
// them. Secrets stay in private fields: neither a log, an inspection nor an error shows them.

import { isUint8Array } from "node:util/types";
import type { Authentication, Mechanism } from "./auth-request.ts";
import { CURVE_KEY_FORM, type CurveKey, type CurveKeyPair, curvePublicKey, readCurveKey } from "./curve-keys.ts";

/** CURVE keys of a client or a worker. */
export interface CurveOptions {
  /** The broker's public key. It authenticates the broker to this peer. */
  readonly serverKey: CurveKey;
  /** This peer's public key, by which the broker knows it. @defaultValue the one that belongs to `secretKey` */
  readonly publicKey?: CurveKey;
  /** This peer's secret key. */
  readonly secretKey: CurveKey;
}

/** CURVE keys of a broker. */
export interface CurveServerOptions {
  /** Clients and workers have it as `serverKey`. @defaultValue the one that belongs to `secretKey` */
  readonly publicKey?: CurveKey;
  /** The broker's secret key. */
  readonly secretKey: CurveKey;
}

/** A username and a password, 1 to 255 bytes of UTF-8 each. They cross the network in clear text. */
export interface PlainOptions {
  readonly username: string;
  readonly password: string;
}

/** Secrets of a connecting link. Keys are Z85 text. */
export type PeerCredentials =
  | { readonly mechanism: "CURVE"; readonly serverKey: string; readonly publicKey: string; readonly secretKey: string }
  | { readonly mechanism: "PLAIN"; readonly username: string; readonly password: string };

/** Security of a connecting link: CURVE or PLAIN. */
export class PeerSecurity {
  readonly #credentials: PeerCredentials;

  /** @throws RangeError for both or neither, for an invalid value, and for keys that do not belong together */
  constructor({ curve, plain }: { readonly curve?: CurveOptions; readonly plain?: PlainOptions }) {
    if ((curve === undefined) === (plain === undefined)) throw new RangeError("curve and plain exclude each other");
    this.#credentials = curve === undefined ? plainCredentials(plain) : curveCredentials(curve);
  }

  /**
   * Reads the options of a client or a worker; `undefined` without `curve` and `plain`.
   * @throws RangeError as the constructor does, and for an option that is present but `undefined`: a peer that lost its keys
   *   must not connect in clear text, to any broker
   */
  static of(options: { readonly curve?: CurveOptions; readonly plain?: PlainOptions }): PeerSecurity | undefined {
    for (const name of ["curve", "plain"] as const) {
      if (Object.hasOwn(options, name) && options[name] === undefined)
        throw new RangeError(`${name} is given as undefined`);
    }
    if (options.curve === undefined && options.plain === undefined) return undefined;
    return new PeerSecurity(options);
  }

  get mechanism(): Mechanism {
    return this.#credentials.mechanism;
  }

  credentials(): PeerCredentials {
    return this.#credentials;
  }
}

/** Security of a listener. Links with the same instance share its ZAP domain. */
export class ServerSecurity {
  readonly mechanism: Mechanism;
  /** Without it, every peer that completes the handshake is accepted. With CURVE, those are the peers that know our key. */
  readonly authentication: Authentication | undefined;
  readonly #keyPair: CurveKeyPair | undefined;

  /**
   * @param keysOrMechanism the server's key pair for CURVE, or a mechanism without keys
   * @throws RangeError for invalid keys, and for a mechanism without keys and without authentication: it would accept everyone
   */
  constructor(keysOrMechanism: CurveServerOptions | "PLAIN" | "NULL", authentication: Authentication | undefined) {
    const isCurve = typeof keysOrMechanism !== "string";
    if (!isCurve && authentication === undefined)
      throw new RangeError(`${keysOrMechanism} without authentication accepts every peer`);
    this.mechanism = isCurve ? "CURVE" : keysOrMechanism;
    this.authentication = authentication;
    this.#keyPair = isCurve ? readKeyPair(keysOrMechanism) : undefined;
  }

  /** The server's keys for CURVE. */
  keyPair(): CurveKeyPair | undefined {
    return this.#keyPair;
  }
}

/** RFC 24: a username and a password are strings with a length of one byte. */
const MAX_WORD_BYTES = 255;

function curveCredentials(curve: CurveOptions): PeerCredentials {
  const { publicKey, secretKey } = readKeyPair(curve, ["serverKey"]);
  return { mechanism: "CURVE", serverKey: keyOf(curve, "serverKey"), publicKey, secretKey };
}

function plainCredentials(plain: unknown): PeerCredentials {
  checkFields("plain", plain, ["username", "password"]);
  return { mechanism: "PLAIN", username: wordOf(plain, "username"), password: wordOf(plain, "password") };
}

function readKeyPair(curve: unknown, otherFields: readonly string[] = []): CurveKeyPair {
  checkFields("curve", curve, ["publicKey", "secretKey", ...otherFields]);
  const secretKey = keyOf(curve, "secretKey");
  const publicKey = curvePublicKey(secretKey);
  if (!("publicKey" in curve) || keyOf(curve, "publicKey") === publicKey) return { publicKey, secretKey };
  throw new RangeError("curve.publicKey does not belong to curve.secretKey");
}

/** JavaScript callers may pass any value. */
function checkFields(name: string, value: unknown, fields: readonly string[]): asserts value is object {
  const known = fields.join(", ");
  if (typeof value !== "object" || value === null) throw new RangeError(`${name} must be an object with ${known}`);
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown === undefined) return;
  throw new RangeError(`${name} has no field ${JSON.stringify(unknown)}: its fields are ${known}`);
}

function keyOf(curve: object, name: string): string {
  const value: unknown = Reflect.get(curve, name);
  const key = readCurveKey(value);
  if (key === undefined) throw new RangeError(`curve.${name} must be ${CURVE_KEY_FORM}${notKind(value)}`);
  return key;
}

function wordOf(plain: object, name: string): string {
  const value: unknown = Reflect.get(plain, name);
  // A lone surrogate would be sent as U+FFFD, so different words would be the same.
  const isText = typeof value === "string" && value !== "" && !/\p{Surrogate}/u.test(value);
  if (!isText || Buffer.byteLength(value) > MAX_WORD_BYTES) {
    throw new RangeError(`plain.${name} must be text of 1 to ${MAX_WORD_BYTES} bytes of UTF-8${notKind(value)}`);
  }
  return value;
}

/** What a secret was instead, without showing it. It may be undefined because an environment variable is not set. */
function notKind(value: unknown): string {
  if (typeof value === "string") return `, not text of ${value.trim().length} characters`;
  return isUint8Array(value) ? `, not ${value.length} bytes` : `, not ${value === null ? "null" : typeof value}`;
}

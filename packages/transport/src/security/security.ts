// What a socket is secured with, checked once when a peer or a broker is made. Secrets stay inside: neither a log nor an
// inspection of what holds them shows them, and no error does.

import type { Applicant, Mechanism } from "./applicant.ts";
import { CURVE_KEY_FORM, type CurveKey, curvePublicKey, readCurveKey } from "./curve-keys.ts";

/** A client's or a worker's keys of CURVE. */
export interface CurveOptions {
  /** The broker's public key: nobody else can play the broker. */
  readonly serverKey: CurveKey;
  /** Its own public key, by which the broker knows it. */
  readonly publicKey: CurveKey;
  /** The secret key that belongs to it. */
  readonly secretKey: CurveKey;
}

/** A broker's own keys of CURVE. */
export interface CurveServerOptions {
  /** What clients and workers have as `serverKey`. */
  readonly publicKey: CurveKey;
  /** The secret key that belongs to it. */
  readonly secretKey: CurveKey;
}

/** A name and a password, 1 to 255 bytes of UTF-8 each. They cross the network in clear. */
export interface PlainOptions {
  readonly username: string;
  readonly password: string;
}

/** Who decides whether a peer may come in. */
export interface Check {
  /** The ZAP domain: 1 to 255 bytes, in use by nobody else in this process. */
  readonly domain: string;
  /** Whether it may come in. Whatever is not `true` keeps it out. */
  readonly authenticate: (applicant: Applicant) => boolean | PromiseLike<boolean>;
  /** Milliseconds that it may take; then the peer is kept out. */
  readonly timeoutMs: number;
}

/** The settings of libzmq's sockets that have to do with security, by the names of the package `zeromq`. */
export interface SecuritySocketOptions {
  readonly curveServer?: boolean;
  readonly curveSecretKey?: string;
  readonly curvePublicKey?: string;
  readonly curveServerKey?: string;
  readonly plainServer?: boolean;
  readonly plainUsername?: string;
  readonly plainPassword?: string;
  readonly zapDomain?: string;
  readonly zapEnforceDomain?: boolean;
}

/** What a connecting socket is secured with: CURVE or PLAIN. */
export class PeerSecurity {
  readonly mechanism: Mechanism;
  readonly #options: SecuritySocketOptions;

  /** @throws RangeError for both or neither, for what is not as its type says, and for keys that do not belong together */
  constructor({ curve, plain }: { readonly curve?: CurveOptions; readonly plain?: PlainOptions }) {
    if ((curve === undefined) === (plain === undefined)) throw new RangeError("curve and plain exclude each other");
    this.mechanism = curve === undefined ? "PLAIN" : "CURVE";
    this.#options = curve === undefined ? plainOptions(plain) : curveOptions(curve);
  }

  /**
   * That of a client's or a worker's options; `undefined` if they have none.
   * @throws RangeError as the constructor does, and for one that is given as `undefined`: whoever asks for it and has nothing to
   *   give shall not talk in clear, and to anybody
   */
  static of(options: { readonly curve?: CurveOptions; readonly plain?: PlainOptions }): PeerSecurity | undefined {
    for (const name of ["curve", "plain"] as const) {
      if (Object.hasOwn(options, name) && options[name] === undefined)
        throw new RangeError(`${name} is given as undefined`);
    }
    if (options.curve === undefined && options.plain === undefined) return undefined;
    return new PeerSecurity(options);
  }

  socketOptions(): SecuritySocketOptions {
    return this.#options;
  }
}

/** What a binding socket is secured with. Sockets that share one share its domain. */
export class ServerSecurity {
  readonly mechanism: Mechanism;
  /** Without one, all are let in who have done what the mechanism asks: with CURVE, who know the server's key. */
  readonly check: Check | undefined;
  readonly #options: SecuritySocketOptions;

  /**
   * @param what the server's own keys, or the mechanism of one that has none
   * @throws RangeError for keys that are none or do not belong together, and for one without keys that has no check either:
   *   it would keep nobody out
   */
  constructor(what: CurveServerOptions | "PLAIN" | "NULL", check: Check | undefined) {
    if (typeof what === "string" && check === undefined)
      throw new RangeError(`${what} keeps nobody out without a check`);
    this.mechanism = typeof what === "string" ? what : "CURVE";
    this.check = check;
    this.#options = {
      ...(typeof what !== "string" && { curveServer: true, curveSecretKey: ownKeys(what).secretKey }),
      ...(what === "PLAIN" && { plainServer: true }),
      ...(check !== undefined && { zapDomain: check.domain }),
      // Otherwise libzmq lets everybody in while nobody answers for the domain.
      zapEnforceDomain: true,
    };
  }

  socketOptions(): SecuritySocketOptions {
    return this.#options;
  }
}

/** Bytes that CURVE adds to a frame: a command's name, a number used once, the seal and the frame's flags. */
const CURVE_FRAME_BYTES = 33;

/** How large a frame may be on the wire, so that what is in it may be as large as this. */
export function wireBytes(frameBytes: number, security: { readonly mechanism: Mechanism } | undefined): number {
  return security?.mechanism === "CURVE" ? frameBytes + CURVE_FRAME_BYTES : frameBytes;
}

const MAX_WORD_BYTES = 255;

function curveOptions(curve: CurveOptions): SecuritySocketOptions {
  const own = ownKeys(curve, ["serverKey"]);
  return { curveServerKey: keyOf(curve, "serverKey"), curvePublicKey: own.publicKey, curveSecretKey: own.secretKey };
}

function plainOptions(plain: unknown): SecuritySocketOptions {
  checkFields("plain", plain, ["username", "password"]);
  return { plainUsername: wordOf(plain, "username"), plainPassword: wordOf(plain, "password") };
}

function ownKeys(curve: unknown, others: readonly string[] = []): { publicKey: string; secretKey: string } {
  checkFields("curve", curve, ["publicKey", "secretKey", ...others]);
  const [publicKey, secretKey] = [keyOf(curve, "publicKey"), keyOf(curve, "secretKey")];
  if (curvePublicKey(secretKey) === publicKey) return { publicKey, secretKey };
  throw new RangeError("curve.publicKey does not belong to curve.secretKey");
}

/** JavaScript may give anything. */
function checkFields(name: string, value: unknown, fields: readonly string[]): asserts value is object {
  const form = `${name} is an object with ${fields.join(", ")}`;
  if (typeof value !== "object" || value === null) throw new RangeError(form);
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown !== undefined) throw new RangeError(`${form}, and without ${JSON.stringify(unknown)}`);
}

function keyOf(curve: object, name: string): string {
  const key = readCurveKey(Reflect.get(curve, name));
  if (key === undefined) throw new RangeError(`curve.${name} is ${CURVE_KEY_FORM}`);
  return key;
}

function wordOf(plain: object, name: string): string {
  const value: unknown = Reflect.get(plain, name);
  const isWord = typeof value === "string" && value !== "" && Buffer.byteLength(value) <= MAX_WORD_BYTES;
  if (!isWord) throw new RangeError(`plain.${name} is text of 1 to ${MAX_WORD_BYTES} bytes`);
  return value;
}

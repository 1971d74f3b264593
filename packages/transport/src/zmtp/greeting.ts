// The first 64 bytes in each direction of a connection: signature, version, mechanism, role. They may arrive in any pieces. A
// violation is reported with the first byte that shows it.

import type { Mechanism } from "../security/auth-request.ts";
import { protocolViolation, type Violation } from "./wire.ts";

export const GREETING_BYTES = 64;

const SIGNATURE_START = 0xff;
const SIGNATURE_END = 0x7f;
const SIGNATURE_END_AT = 9;
const MAJOR_AT = 10;
const MINOR_AT = 11;
const MECHANISM_AT = 12;
const MECHANISM_BYTES = 20;
const AS_SERVER_AT = 32;

/** Encodes a greeting of ZMTP 3.1. */
export function encodeGreeting(mechanism: Mechanism, isServer: boolean): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = SIGNATURE_START;
  greeting[SIGNATURE_END_AT] = SIGNATURE_END;
  greeting[MAJOR_AT] = 3;
  greeting[MINOR_AT] = 1;
  greeting.write(mechanism, MECHANISM_AT, "latin1");
  if (isServer) greeting[AS_SERVER_AT] = 1;
  return greeting;
}

export class GreetingReader {
  readonly #bytes = Buffer.alloc(GREETING_BYTES);
  readonly #mechanism: Mechanism;
  #count = 0;

  /** @param mechanism what the other end must use */
  constructor(mechanism: Mechanism) {
    this.#mechanism = mechanism;
  }

  /** Reads the greeting's part of `chunk`, starting at byte `from`. @returns where the rest starts */
  read(chunk: Uint8Array, from: number): number {
    const until = Math.min(chunk.length, from + GREETING_BYTES - this.#count);
    this.#bytes.set(chunk.subarray(from, until), this.#count);
    this.#count += until - from;
    return until;
  }

  get isComplete(): boolean {
    return this.#count === GREETING_BYTES;
  }

  /** Whether the other end speaks ZMTP 3.1, and so answers PING. Only when complete. */
  get speaks31(): boolean {
    return this.#bytes.readUInt16BE(MAJOR_AT) >= 0x0301;
  }

  /** Checks the bytes so far. libzmq never sets the as-server bit, so it cannot be checked. */
  check(): Violation | undefined {
    const bytes = this.#bytes;
    if (this.#count > 0 && bytes[0] !== SIGNATURE_START) return notZmtp("its first byte is not 0xff");
    if (this.#count > SIGNATURE_END_AT && bytes[SIGNATURE_END_AT] !== SIGNATURE_END) {
      return notZmtp("the signature does not end with 0x7f");
    }
    const major = bytes[MAJOR_AT] ?? 0;
    if (this.#count > MAJOR_AT && major < 3) {
      return { code: "INCOMPATIBLE", detail: `the peer speaks ZMTP ${major}; the oldest supported version is 3` };
    }
    if (this.#count < MECHANISM_AT + MECHANISM_BYTES) return undefined;
    const mechanism = bytes.toString("latin1", MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES).replace(/\0+$/, "");
    if (mechanism === this.#mechanism) return undefined;
    const detail = `the peer uses mechanism ${JSON.stringify(mechanism)}, not ${this.#mechanism}`;
    return { code: "INCOMPATIBLE", detail, mechanism: this.#mechanism };
  }
}

function notZmtp(detail: string): Violation {
  return protocolViolation(`not a ZMTP greeting: ${detail}`);
}

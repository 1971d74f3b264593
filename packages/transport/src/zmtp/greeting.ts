// The first 64 bytes of a connection, in each direction: that this is ZMTP, which version, and which mechanism of
// security. They may come in any pieces; what is wrong is said with the first byte that is.

import type { Violation } from "./violation.ts";

export const GREETING_BYTES = 64;

const SIGNATURE_START = 0xff;
const SIGNATURE_END = 0x7f;
const SIGNATURE_END_AT = 9;
const MAJOR_AT = 10;
const MINOR_AT = 11;
const MECHANISM_AT = 12;
const MECHANISM_BYTES = 20;
const MECHANISM = "NULL".padEnd(MECHANISM_BYTES, "\0");

/** What we greet with: ZMTP 3.1, mechanism NULL. */
export function encodeGreeting(): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = SIGNATURE_START;
  greeting[SIGNATURE_END_AT] = SIGNATURE_END;
  greeting[MAJOR_AT] = 3;
  greeting[MINOR_AT] = 1;
  greeting.write(MECHANISM, MECHANISM_AT, "latin1");
  return greeting;
}

export class GreetingReader {
  readonly #bytes = Buffer.alloc(GREETING_BYTES);
  #count = 0;

  /** Takes what belongs to the greeting from `chunk`, starting at its byte `from`. @returns where the rest starts */
  read(chunk: Uint8Array, from: number): number {
    const until = Math.min(chunk.length, from + GREETING_BYTES - this.#count);
    this.#bytes.set(chunk.subarray(from, until), this.#count);
    this.#count += until - from;
    return until;
  }

  get isComplete(): boolean {
    return this.#count === GREETING_BYTES;
  }

  /** Whether the other end speaks ZMTP 3.1, and so answers a PING. Only when complete. */
  get speaks31(): boolean {
    return this.#bytes.readUInt16BE(MAJOR_AT) >= 0x0301;
  }

  /** What is wrong with the bytes so far. */
  check(): Violation | undefined {
    const bytes = this.#bytes;
    if (this.#count > 0 && bytes[0] !== SIGNATURE_START) return noZmtp("its first byte is not 0xff");
    if (this.#count > SIGNATURE_END_AT && bytes[SIGNATURE_END_AT] !== SIGNATURE_END) {
      return noZmtp("the signature does not end with 0x7f");
    }
    const major = bytes[MAJOR_AT] ?? 0;
    if (this.#count > MAJOR_AT && major < 3) {
      return { code: "INCOMPATIBLE", detail: `it speaks version ${major} of ZMTP, and 3 is the oldest understood` };
    }
    const mechanism = bytes.toString("latin1", MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES);
    if (this.#count >= MECHANISM_AT + MECHANISM_BYTES && mechanism !== MECHANISM) {
      return {
        code: "INCOMPATIBLE",
        detail: `it insists on the mechanism ${JSON.stringify(mechanism.replace(/\0+$/, ""))}`,
      };
    }
    return undefined;
  }
}

function noZmtp(detail: string): Violation {
  return { code: "PROTOCOL", detail: `not a greeting of ZMTP: ${detail}` };
}

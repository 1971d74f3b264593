// Checks MessagePack before msgpackr reads it: every length is within the bytes, nesting and number of objects are bounded, and
// only the extensions of this codec occur. msgpackr also reads records, references, regular expressions and more, whose state,
// cost or size a peer could choose. One pass without memory for the content; bytes and text are skipped.

/** Levels of nesting. */
export const MAX_DEPTH = 256;
/** Maps, arrays and extensions: each may need a hundred times as much memory as its one byte. */
export const MAX_CONTAINERS = 1_048_576;
export const MAX_BIGINT_BYTES = 4_096;

/** The extension of a Map: an array of keys and values in turn. */
export const MAP_EXTENSION = 0x6d;
/** The extension of an Error: an array of name, message, cause and fields. */
export const ERROR_EXTENSION = 0x65;
const SET_EXTENSION = 0x73;
const BIGINT_EXTENSION = 0x42;
const TYPED_ARRAY_EXTENSION = 0x74;
const UNDEFINED_EXTENSION = 0;
const DATE_EXTENSION = 0xff;

/** The bytes of one element, by the number that msgpackr gives to a type. 16 is an ArrayBuffer, 17 a DataView. */
const ELEMENT_BYTES: ReadonlyMap<number | undefined, number> = new Map([
  ...[1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8].entries(),
  [16, 1],
  [17, 1],
]);

/** The views that have such a number. */
export const TYPED_ARRAYS: ReadonlySet<string> = new Set([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
]);

/** Bytes after the token of a number, from 0xca on. */
const NUMBER_BYTES: readonly number[] = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];
/** `__proto__`, which must not be a key. */
const RESERVED_KEY = [..."__proto__"].map((character) => character.charCodeAt(0));

/** Whether the bytes are one value that msgpackr can read at a bounded cost. */
export function isSafeMsgpack(bytes: Uint8Array): boolean {
  return new Check(bytes).isSafe();
}

class Check {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  /** For each open array or map: the values that must follow, and whether every second one is a key. */
  readonly #left: number[] = [1];
  readonly #hasKeys: boolean[] = [false];
  #containers = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  isSafe(): boolean {
    while (this.#left.length > 0) {
      const last = this.#left.length - 1;
      const left = this.#left[last] ?? 0;
      if (left === 0) {
        this.#left.pop();
        this.#hasKeys.pop();
        continue;
      }
      this.#left[last] = left - 1;
      const isKey = this.#hasKeys[last] === true && left % 2 === 0;
      if (!(isKey ? this.#key() : this.#value())) return false;
    }
    return this.#at === this.#bytes.length;
  }

  #value(): boolean {
    const token = this.#bytes[this.#at];
    if (token === undefined) return false;
    this.#at += 1;
    if (token < 0x80 || token >= 0xe0) return true;
    if (token < 0x90) return this.#open(2 * (token & 0x0f), true);
    if (token < 0xa0) return this.#open(token & 0x0f, false);
    if (token < 0xc0) return this.#skip(token & 0x1f);
    if (token >= 0xca && token <= 0xd3) return this.#skip(NUMBER_BYTES[token - 0xca] ?? 0);
    switch (token) {
      case 0xc1:
        return false;
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return this.#skip(this.#length(1));
      case 0xc5:
      case 0xda:
        return this.#skip(this.#length(2));
      case 0xc6:
      case 0xdb:
        return this.#skip(this.#length(4));
      case 0xdc:
        return this.#open(this.#length(2), false);
      case 0xdd:
        return this.#open(this.#length(4), false);
      case 0xde:
        return this.#open(2 * this.#length(2), true);
      case 0xdf:
        return this.#open(2 * this.#length(4), true);
      default:
        return this.#extension(token);
    }
  }

  #key(): boolean {
    const token = this.#bytes[this.#at] ?? 0;
    const isText = (token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb);
    if (!isText || !this.#value()) return false;
    const start = this.#at - RESERVED_KEY.length;
    // The token before shows that the text has this length, and does not merely end so.
    const isThatLong =
      token === 0xa9 ? this.#bytes[start - 1] === token : token >= 0xd9 && this.#bytes[start - 1] === 9;
    return !isThatLong || !RESERVED_KEY.every((code, index) => this.#bytes[start + index] === code);
  }

  /** @returns NaN if the bytes end before */
  #length(size: 1 | 2 | 4): number {
    const at = this.#at;
    if (at + size > this.#bytes.length) return Number.NaN;
    this.#at += size;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip(length: number): boolean {
    this.#at += length;
    return this.#at <= this.#bytes.length;
  }

  /** An array or a map with this many values, each of which has at least one byte. */
  #open(values: number, hasKeys: boolean): boolean {
    this.#containers += 1;
    if (this.#containers > MAX_CONTAINERS || this.#left.length > MAX_DEPTH) return false;
    if (!(values <= this.#bytes.length - this.#at)) return false;
    this.#left.push(values);
    this.#hasKeys.push(hasKeys);
    return true;
  }

  #extension(token: number): boolean {
    const size =
      token >= 0xd4 && token <= 0xd8 ? 2 ** (token - 0xd4) : this.#length(EXTENSION_SIZES[token - 0xc7] ?? 1);
    const type = this.#bytes[this.#at];
    this.#at += 1;
    this.#containers += 1;
    if (this.#containers > MAX_CONTAINERS || !(size >= 1)) return false;
    switch (type) {
      case MAP_EXTENSION:
      case ERROR_EXTENSION:
      case SET_EXTENSION:
        return token === 0xd4 && this.#skip(1) && this.#tagged(type);
      case UNDEFINED_EXTENSION:
        return token === 0xd4 && this.#skip(1);
      case DATE_EXTENSION:
        return (size === 1 || size === 4 || size === 8 || size === 12) && this.#skip(size);
      case BIGINT_EXTENSION:
        return size <= MAX_BIGINT_BYTES && this.#skip(size);
      case TYPED_ARRAY_EXTENSION: {
        const elementBytes = ELEMENT_BYTES.get(this.#bytes[this.#at]);
        return elementBytes !== undefined && (size - 1) % elementBytes === 0 && this.#skip(size);
      }
      default:
        return false;
    }
  }

  /** The array behind the tag of a Map, a Set or an Error. */
  #tagged(type: number): boolean {
    const token = this.#bytes[this.#at] ?? 0;
    const isArray = (token >= 0x90 && token < 0xa0) || token === 0xdc || token === 0xdd;
    if (!isArray || !this.#value()) return false;
    const count = this.#left.at(-1) ?? 0;
    return type !== MAP_EXTENSION || count % 2 === 0;
  }
}

/** How the length of an extension is written, from 0xc7 on. */
const EXTENSION_SIZES: readonly (1 | 2 | 4)[] = [1, 2, 4];

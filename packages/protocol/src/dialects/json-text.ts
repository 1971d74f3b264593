// Whether bytes are JSON (RFC 8259), without building the value: a text of 64 MiB is within the bounds, but if it has only empty objects,
// its value takes more than 1 GB and a minute. The memory of this check is one byte for each level of nesting.

const OBJECT = 1;
const ARRAY = 2;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x65;
const LETTER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** The bit that turns an ASCII letter into lower case. */
const LOWER_CASE = 0x20;

const WORDS: readonly Uint8Array[] = ["true", "false", "null"].map((word) => Buffer.from(word));
/** What may follow a backslash, besides `u` and four hexadecimal digits. */
const ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));
const FIRST_LEVELS = 64;

/** @param bytes of valid UTF-8 */
export function isJsonText(bytes: Uint8Array): boolean {
  return new JsonScanner(bytes).isWhole();
}

class JsonScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The kinds of the values around the place, the outermost first. */
  #levels: Uint8Array = new Uint8Array(FIRST_LEVELS);
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isWhole(): boolean {
    do {
      if (!this.#beginValue()) return false;
    } while (this.#endValues());
    this.#skipSpace();
    return this.#depth === 0 && this.#at === this.#bytes.length;
  }

  /** Reads up to the end of a value without parts. Objects and arrays that begin before it stay open. */
  #beginValue(): boolean {
    for (;;) {
      const byte = this.#next();
      if (byte === OPEN_ARRAY) {
        this.#open(ARRAY);
        if (this.#peek() === CLOSE_ARRAY) return true;
      } else if (byte === OPEN_OBJECT) {
        this.#open(OBJECT);
        if (this.#peek() === CLOSE_OBJECT) return true;
        if (!this.#readKey()) return false;
      } else {
        return this.#readScalar(byte);
      }
    }
  }

  /** Reads the ends of values, and what leads to the next one. @returns whether another value must follow */
  #endValues(): boolean {
    while (this.#depth > 0) {
      const level = this.#levels[this.#depth - 1];
      const byte = this.#next();
      if (byte === COMMA) return level === ARRAY || this.#readKey();
      if (byte !== (level === ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT)) return false;
      this.#depth -= 1;
    }
    return false;
  }

  #open(kind: number): void {
    if (this.#depth === this.#levels.length) {
      const larger = new Uint8Array(2 * this.#depth);
      larger.set(this.#levels);
      this.#levels = larger;
    }
    this.#levels[this.#depth] = kind;
    this.#depth += 1;
  }

  #readKey(): boolean {
    return this.#next() === QUOTE && this.#readString() && this.#next() === COLON;
  }

  #readScalar(byte: number): boolean {
    if (byte === QUOTE) return this.#readString();
    if (byte === MINUS || isDigit(byte)) return this.#readNumber(byte);
    return WORDS.some((word) => word[0] === byte && this.#readWord(word));
  }

  #readWord(word: Uint8Array): boolean {
    for (let index = 1; index < word.length; index++) if (this.#bytes[this.#at++] !== word[index]) return false;
    return true;
  }

  /** Behind the quote. */
  #readString(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20) return false;
      if (byte !== BACKSLASH) continue;
      const escaped = bytes[at++] ?? 0;
      if (ESCAPES.has(escaped)) continue;
      if (escaped !== LETTER_U) return false;
      for (const end = at + 4; at < end; at++) if (!isHexDigit(bytes[at] ?? 0)) return false;
    }
    this.#at = at;
    return true;
  }

  #readNumber(first: number): boolean {
    const digit = first === MINUS ? this.#bytes[this.#at++] : first;
    if (digit === undefined || !isDigit(digit)) return false;
    if (digit !== ZERO) this.#skipDigits();
    if (this.#bytes[this.#at] === DOT) {
      this.#at += 1;
      if (!this.#skipDigits()) return false;
    }
    if (((this.#bytes[this.#at] ?? 0) | LOWER_CASE) !== LETTER_E) return true;
    this.#at += 1;
    const sign = this.#bytes[this.#at];
    if (sign === PLUS || sign === MINUS) this.#at += 1;
    return this.#skipDigits();
  }

  /** @returns whether there was one */
  #skipDigits(): boolean {
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at += 1;
    return this.#at > from;
  }

  /** The next byte that is no space; 0 at the end. */
  #next(): number {
    const byte = this.#peek();
    this.#at += 1;
    return byte;
  }

  #peek(): number {
    const byte = this.#bytes[this.#at] ?? 0;
    // Mostly there is none.
    if (byte > 0x20) return byte;
    this.#skipSpace();
    return this.#bytes[this.#at] ?? 0;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    while (isSpace(bytes[this.#at] ?? 0)) this.#at += 1;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | LOWER_CASE;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

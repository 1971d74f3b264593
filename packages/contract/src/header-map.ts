// Headers of a request or a reply: names and values as text, such as `traceparent`. Names are equal in any case.

import { UsageError } from "@pigato/protocol";
import type { HeaderFields } from "@pigato/protocol/internal";
import { hasControlCharacter } from "@pigato/protocol/internal";

/** As much as the headers of a request may have on the wire. */
const MAX_LENGTH = 8_192;

/**
 * A `Map` whose keys are names in lower case. Names and values have no control characters, which could end a line of a log or of another
 * protocol. At most 8 192 characters in all; `set` throws a `UsageError` beyond that.
 */
export class HeaderMap extends Map<string, string> {
  /** Counted, because a peer may send a thousand short ones. */
  #length = 0;

  /** @throws UsageError for a name or a value that is not text or has control characters, and beyond the bound */
  static from(entries: HeaderFields | Iterable<readonly [string, string]> = {}): HeaderMap {
    const headers = new HeaderMap();
    const pairs = isIterable(entries) ? entries : Object.entries(entries);
    for (const [name, value] of pairs) headers.set(name, value);
    return headers;
  }

  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }

  override has(name: string): boolean {
    return super.has(name.toLowerCase());
  }

  override delete(name: string): boolean {
    const lower = name.toLowerCase();
    this.#length -= this.#lengthOf(lower);
    return super.delete(lower);
  }

  override clear(): void {
    this.#length = 0;
    super.clear();
  }

  /** @throws UsageError for a name or a value that is not text or has control characters, and beyond the bound */
  override set(name: string, value: string): this {
    if (typeof name !== "string" || name === "" || hasControlCharacter(name)) {
      throw new UsageError(
        `${JSON.stringify(name)} cannot be the name of a header: pass text without control characters`,
      );
    }
    if (typeof value !== "string" || hasControlCharacter(value)) {
      throw new UsageError(`the header "${name}" must be text without control characters`);
    }
    const lower = name.toLowerCase();
    const length = this.#length - this.#lengthOf(lower) + lower.length + value.length;
    if (length > MAX_LENGTH) {
      throw new UsageError(`the header "${name}" does not fit: headers may have ${MAX_LENGTH} characters in all`);
    }
    this.#length = length;
    return super.set(lower, value);
  }

  #lengthOf(lower: string): number {
    const value = super.get(lower);
    return value === undefined ? 0 : lower.length + value.length;
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this);
  }
}

function isIterable(value: object): value is Iterable<readonly [string, string]> {
  return Symbol.iterator in value;
}

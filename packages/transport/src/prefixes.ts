// The prefixes of one subscriber, as byte strings.

/** The most bytes of a prefix. */
export const MAX_PREFIX_BYTES = 1024;
/** The most prefixes of one subscriber. */
export const MAX_PREFIXES = 256;

export class Prefixes implements Iterable<string> {
  readonly #prefixes = new Set<string>();

  /**
   * @returns whether it is new
   * @throws RangeError unless it is a byte string of at most 1024 bytes, and at most the 256th
   */
  add(prefix: string): boolean {
    const bytes = Buffer.from(prefix, "latin1");
    if (bytes.length > MAX_PREFIX_BYTES || bytes.toString("latin1") !== prefix) {
      throw new RangeError(
        `a prefix must be a byte string of at most ${MAX_PREFIX_BYTES} bytes: ${JSON.stringify(prefix)}`,
      );
    }
    if (this.#prefixes.has(prefix)) return false;
    if (this.#prefixes.size === MAX_PREFIXES) {
      throw new RangeError(
        `cannot subscribe to ${JSON.stringify(prefix)}: a subscriber has at most ${MAX_PREFIXES} prefixes`,
      );
    }
    this.#prefixes.add(prefix);
    return true;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#prefixes.values();
  }
}

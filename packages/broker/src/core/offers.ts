// Services by name, of all workers or of one, and which of them a name resolves to (P-NAME-2): the service of exactly that name;
// else, for a range, the highest version within it; else the longest wildcard. Free slots do not matter.

import type { ServiceName } from "@pigato/protocol";
import { prefixIn, type RangeName, versionIn } from "./names.ts";
import { Versions } from "./versions.ts";
import { Wildcards } from "./wildcards.ts";

/** A service, or what one worker offers under the name of one. */
interface Named {
  readonly name: ServiceName;
}

export class Offers<Item extends Named> {
  readonly #byName = new Map<ServiceName, Item>();
  readonly #versions = new Map<string, Versions<Item>>();
  readonly #wildcards = new Wildcards<Item>();

  get(name: ServiceName): Item | undefined {
    return this.#byName.get(name);
  }

  values(): IterableIterator<Item> {
    return this.#byName.values();
  }

  add(service: Item): void {
    const { name } = service;
    this.#byName.set(name, service);
    const prefix = prefixIn(name);
    if (prefix !== undefined) this.#wildcards.add(prefix, service);
    const parsed = versionIn(name);
    if (parsed === undefined) return;
    const versions = this.#versions.get(parsed.base) ?? new Versions<Item>();
    this.#versions.set(parsed.base, versions);
    versions.add(parsed.version, service);
  }

  remove({ name }: Item): void {
    this.#byName.delete(name);
    const prefix = prefixIn(name);
    if (prefix !== undefined) this.#wildcards.remove(prefix);
    const parsed = versionIn(name);
    const versions = parsed && this.#versions.get(parsed.base);
    if (parsed === undefined || versions === undefined) return;
    versions.remove(parsed.version);
    if (versions.isEmpty) this.#versions.delete(parsed.base);
  }

  /**
   * The service that a name resolves to, if there is one.
   * @param range the range that the name requests, if it does
   */
  resolve(name: ServiceName, range: RangeName | undefined): Item | undefined {
    return this.#byName.get(name) ?? (range && this.#inRange(range)) ?? this.#wildcards.longestFor(name);
  }

  /** The longest wildcard that covers all names with this prefix. */
  wildcardAround(prefix: string): Item | undefined {
    return this.#wildcards.longestFor(prefix);
  }

  #inRange(wanted: RangeName): Item | undefined {
    const versions = this.#versions.get(wanted.base);
    // The range is parsed only if there are versions to choose from.
    const range = versions && wanted.range;
    return range && versions.highestIn(range);
  }
}

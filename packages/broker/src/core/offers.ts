// The services that workers offer, and which of them a name leads to (P-NAME-2): the service of exactly that name; else, if
// the name asks for a range, the highest version within it; else the longest wildcard. Free workers play no part in it.

import type { ServiceName } from "@pigato/protocol";
import { parseRange, prefixIn, type RangeName, versionIn } from "./names.ts";
import type { Service } from "./queued-request.ts";
import { Versions } from "./versions.ts";
import { Wildcards } from "./wildcards.ts";

export class Offers {
  readonly #byName = new Map<ServiceName, Service>();
  readonly #versions = new Map<string, Versions>();
  readonly #wildcards = new Wildcards();

  get(name: ServiceName): Service | undefined {
    return this.#byName.get(name);
  }

  values(): IterableIterator<Service> {
    return this.#byName.values();
  }

  add(service: Service): void {
    const { name } = service;
    this.#byName.set(name, service);
    const prefix = prefixIn(name);
    if (prefix !== undefined) this.#wildcards.add(prefix, service);
    const parsed = versionIn(name);
    if (parsed === undefined) return;
    const versions = this.#versions.get(parsed.base) ?? new Versions();
    this.#versions.set(parsed.base, versions);
    versions.add(parsed.version, service);
  }

  remove({ name }: Service): void {
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
   * The service that a name leads to, if there is one.
   * @param range what the name asks for, if that is a version within a range
   */
  resolve(name: ServiceName, range: RangeName | undefined): Service | undefined {
    return this.#byName.get(name) ?? (range && this.#inRange(range)) ?? this.#wildcards.longestFor(name);
  }

  /** The longest wildcard that covers all names with this prefix. */
  wildcardAround(prefix: string): Service | undefined {
    return this.#wildcards.longestFor(prefix);
  }

  #inRange({ base, range: text }: RangeName): Service | undefined {
    const versions = this.#versions.get(base);
    // Parse the range only if there are versions to choose from.
    const range = versions && parseRange(text);
    return range && versions.highestIn(range);
  }
}

// What workers offer, and which of it a name leads to (P-NAME-2): the service of exactly that name; else, if it asks for a
// range, the highest version within; else the longest wildcard. Whether a worker there is free does not matter.

import type { ServiceName } from "@pigato/protocol";
import { parseRange, prefixIn, type RangeName, versionIn } from "./names.ts";
import type { Service } from "./records.ts";
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
    const one = versionIn(name);
    if (one === undefined) return;
    const versions = this.#versions.get(one.base) ?? new Versions();
    this.#versions.set(one.base, versions);
    versions.add(one.version, service);
  }

  remove({ name }: Service): void {
    this.#byName.delete(name);
    const prefix = prefixIn(name);
    if (prefix !== undefined) this.#wildcards.remove(prefix);
    const one = versionIn(name);
    const versions = one && this.#versions.get(one.base);
    if (one === undefined || versions === undefined) return;
    versions.remove(one.version);
    if (versions.isEmpty) this.#versions.delete(one.base);
  }

  /**
   * The service that a name leads to; `undefined` if nobody offers one.
   * @param range what the name says it asks for, if that is a version within a range
   */
  resolve(name: ServiceName, range: RangeName | undefined): Service | undefined {
    return this.#byName.get(name) ?? (range && this.#inRange(range)) ?? this.#wildcards.longestFor(name);
  }

  /** The longest wildcard that all names with this prefix are under. */
  wildcardAround(prefix: string): Service | undefined {
    return this.#wildcards.longestFor(prefix);
  }

  #inRange({ base, range: text }: RangeName): Service | undefined {
    const versions = this.#versions.get(base);
    // The range is read only where there is something to choose from.
    const range = versions && parseRange(text);
    return range && versions.highestIn(range);
  }
}

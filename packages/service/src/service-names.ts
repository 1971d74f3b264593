// Which of the services of one connection a request is for, by the rules that brokers follow (P-NAME-2): the service of exactly the
// requested name; else, for a range of versions, the highest within it; else the longest wildcard that covers the name.

import { UsageError } from "@pigato/protocol";
import { maxSatisfying, validRange } from "semver";

/** Names that were found, so that a wildcard costs no search for each request. At the bound, all are forgotten. */
const MAX_FOUND = 1_000;

const RANGE_OPERATOR = /[\^~<>|]/;

/**
 * @throws UsageError for a range of versions, which is for clients: it would take all requests for exactly this range from the hosts of
 * the versions in it
 */
export function checkNoRange(name: unknown): void {
  if (typeof name !== "string") return; // The worker refuses it.
  const at = name.lastIndexOf("@");
  const version = name.slice(at + 1);
  if (at <= 0 || !RANGE_OPERATOR.test(version) || validRange(version) === null) return;
  const served = `${name.slice(0, at)}@1.2.0`;
  throw new UsageError(
    `a host cannot serve "${name}", a range of versions: name the version it serves, as "${served}"`,
  );
}

export class ServiceNames<Service> {
  readonly #services = new Map<string, Service>();
  readonly #found = new Map<string, Service>();

  add(name: string, service: Service): void {
    this.#services.set(name, service);
    this.#found.clear();
  }

  /** @param requested the name as the client wrote it; empty if the dialect does not say */
  find(requested: string): Service | undefined {
    const known = this.#services.get(requested) ?? this.#found.get(requested);
    if (known !== undefined) return known;
    const found = this.#search(requested);
    if (found === undefined) return undefined;
    if (this.#found.size >= MAX_FOUND) this.#found.clear();
    this.#found.set(requested, found);
    return found;
  }

  #search(requested: string): Service | undefined {
    const all = [...this.#services];
    // Whatever the name: the connection has no other service.
    if (all.length === 1) return all[0]?.[1];
    return this.#highestIn(requested) ?? this.#longestWildcard(requested);
  }

  #highestIn(requested: string): Service | undefined {
    const at = requested.lastIndexOf("@");
    if (at <= 0) return undefined;
    const base = requested.slice(0, at + 1);
    const versions = [...this.#services.keys()].filter((name) => name.startsWith(base));
    const highest = maxSatisfying(
      versions.map((name) => name.slice(base.length)),
      requested.slice(at + 1),
    );
    return highest === null ? undefined : this.#services.get(base + highest);
  }

  #longestWildcard(requested: string): Service | undefined {
    for (let length = requested.length; length >= 0; length--) {
      const service = this.#services.get(`${requested.slice(0, length)}*`);
      if (service !== undefined) return service;
    }
    return undefined;
  }
}

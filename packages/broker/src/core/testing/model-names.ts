// Name resolution without a cache or an index: finds the service for a name by looking at all offered names. It is written
// differently from the core, so that each shows the faults of the other.

import type { ServiceName } from "@pigato/protocol";
import { maxSatisfying } from "semver";

export class ModelNames {
  /** The names offered, each with the number of workers. */
  readonly #offered = new Map<ServiceName, number>();

  offer(name: ServiceName): void {
    this.#offered.set(name, (this.#offered.get(name) ?? 0) + 1);
  }

  withdraw(name: ServiceName): void {
    const left = (this.#offered.get(name) ?? 0) - 1;
    if (left > 0) this.#offered.set(name, left);
    else this.#offered.delete(name);
  }

  /** The offered name whose workers serve this one; `undefined` if there is none. */
  servedAs(wanted: ServiceName): ServiceName | undefined {
    const offered = [...this.#offered.keys()];
    if (offered.includes(wanted)) return wanted;
    const [, base, range] = /^(.+)@([^@]+)$/s.exec(wanted) ?? [];
    const versions = offered.filter((name) => base !== undefined && /^\d+\.\d+\.\d+$/.test(afterBase(name, base)));
    const best = maxSatisfying(
      versions.map((name) => afterBase(name, base ?? "")),
      range ?? "",
    );
    if (best !== null && range !== undefined) return versions.find((name) => name.endsWith(`@${best}`));
    const wildcards = offered.filter((name) => name.endsWith("*") && wanted.startsWith(name.slice(0, -1)));
    return wildcards.sort((left, right) => right.length - left.length)[0];
  }

  /** Whether a request for `wanted` that asks for one worker may go to it if it offers this name. */
  mayServe(offered: ServiceName, wanted: ServiceName): boolean {
    const alone = new ModelNames();
    alone.offer(offered);
    return alone.servedAs(wanted) !== undefined;
  }
}

function afterBase(name: string, base: string): string {
  return name.startsWith(`${base}@`) ? name.slice(base.length + 1) : "";
}

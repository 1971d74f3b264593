// Services by name. One exists while it has workers or open requests.

import type { ServiceName } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import { newPolicy } from "./policy.ts";
import { Service } from "./records.ts";

export class Services {
  readonly #options: CoreOptions;
  readonly #byName = new Map<ServiceName, Service>();

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byName.size;
  }

  values(): IterableIterator<Service> {
    return this.#byName.values();
  }

  /** Whether anybody offers it. */
  hasWorker(name: ServiceName): boolean {
    return (this.#byName.get(name)?.workers.size ?? 0) > 0;
  }

  require(name: ServiceName): Service {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const service = new Service(name, newPolicy(this.#options.dispatchMode, this.#options.random));
    this.#byName.set(name, service);
    return service;
  }

  /** Forgets a service that nobody offers and that no open request is for. */
  release(service: Service): void {
    if (service.open === 0 && service.workers.size === 0) this.#byName.delete(service.name);
  }
}

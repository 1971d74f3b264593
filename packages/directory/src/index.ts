// The core service `$dir`: which workers offer a service. It answers as the original's directory does.

import { CoreService, type CoreServiceOptions, type Worker } from "@pigato/core-service";
import type { ServiceMap } from "@pigato/protocol/internal";

export { RequestError, UsageError } from "@pigato/protocol";
export type { ServiceMap } from "@pigato/protocol/internal";

/** The name of the service. */
const SERVICE = "$dir";

/** All options of a worker, and `intch`. */
export type DirectoryOptions = Omit<CoreServiceOptions, "onRequest">;

/**
 * Answers a request whose data is the name of a service with the ids of its workers, `[]` if it has none, and one without
 * data with all: `{ service: [ids], … }`. Several may run at a time.
 */
export class Directory implements AsyncDisposable {
  readonly #core: CoreService;

  /**
   * @param address the broker's address
   * @param options `intch` is the broker's `conf.intch`
   * @throws UsageError for an argument that cannot be used
   */
  constructor(address: string | readonly string[], options: DirectoryOptions) {
    const onRequest: CoreServiceOptions["onRequest"] = (data, reply, services) => {
      const answer = answerTo(data, services);
      if (answer !== undefined) return reply.end(answer);
      const message = `the data of a request to ${SERVICE} must be the name of a service, or nothing`;
      return reply.error({ name: "RequestError", message, code: "INVALID" });
    };
    this.#core = new CoreService(address, SERVICE, { ...options, onRequest });
  }

  /** The worker that handles the requests: for its events, options and id. */
  get worker(): Worker {
    return this.#core.worker;
  }

  /** The latest directory: the workers of each service. Empty before the first one. */
  get services(): ServiceMap {
    return this.#core.services;
  }

  /** Resolves when it can answer; see `CoreService.start`. */
  start(): Promise<void> {
    return this.#core.start();
  }

  /** Rejects new requests, lets running ones finish, closes. Safe to call twice. */
  stop(): Promise<void> {
    return this.#core.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** As in the original, any falsy data asks for everything. */
function answerTo(data: unknown, services: ServiceMap): object | undefined {
  if (!data) return Object.fromEntries(services);
  if (typeof data === "string" || typeof data === "number") return services.get(String(data)) ?? [];
  return undefined;
}

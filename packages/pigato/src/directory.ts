// The classic directory service: an adapter of @pigato/directory.

import { type DirectoryOptions, Directory as Service } from "@pigato/directory";
import { isWorkerOption } from "@pigato/worker";
import { type ConfOf, callListeners, pickOptions } from "./conf.ts";

/** The options of a directory and any other key. A change applies from the next `start()`. */
export type DirectoryConf = ConfOf<DirectoryOptions, "onStart" | "onStop">;

/** Behavior of the original that has no option. */
const AS_THE_ORIGINAL = Object.freeze({ negotiate: false, stopTimeoutMs: 0 });

/** Answers requests for `$dir`: the name of a service with the ids of its workers, no name with all services. */
export class Directory {
  /** The address of the broker. */
  readonly endpoint: string;
  readonly conf: DirectoryConf;
  #service: Service | undefined;

  /** @param conf `intch` is the broker's `conf.intch` */
  constructor(endpoint: string, conf: DirectoryConf) {
    this.endpoint = endpoint;
    this.conf = { ...conf };
  }

  /** The worker that handles the requests. `undefined` while it is stopped. */
  get wrk(): Service["worker"] | undefined {
    return this.#service?.worker;
  }

  /** Starts to serve; calls `conf.onStart` when it can reply. */
  start(): void {
    this.stop();
    const { onStart, onStop, ...given } = this.conf;
    const options = pickOptions(given, (name) => name === "intch" || isWorkerOption(name));
    const service = new Service(this.endpoint, { ...AS_THE_ORIGINAL, ...options });
    this.#service = service;
    void service.start().then(
      () => callListeners(this.conf, "onStart"),
      (error: unknown) => {
        if (this.#service === service) process.emitWarning(String(error));
      },
    );
  }

  /** Closes at once. */
  stop(): void {
    const service = this.#service;
    if (service === undefined) return;
    this.#service = undefined;
    void service.stop();
    callListeners(this.conf, "onStop");
  }
}

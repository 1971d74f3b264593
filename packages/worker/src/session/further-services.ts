// The services that a worker offers besides its first one, on the same connection (P-READY-4). Offers them once the broker has
// answered the first READY, if it takes several services. If not, an effect says so, and the shell may offer them on other connections.

import { type Capabilities, display, type ServiceName, type ToWorker } from "@pigato/protocol";
import { type Effects, NO_EFFECTS } from "./effects.ts";
import { report, sendUrgently } from "./messages.ts";

type ServiceAnswer = Extract<ToWorker, { readonly type: "service-answer" }>;

export class FurtherServices {
  readonly #names = new Set<ServiceName>();
  /** Whether this connection carries several services; `undefined` before the broker has answered. */
  #isShared: boolean | undefined;

  /** On a new connection. */
  reset(): void {
    this.#isShared = undefined;
  }

  add(service: ServiceName, offer: Capabilities | undefined): Effects {
    if (this.#names.has(service)) return NO_EFFECTS;
    this.#names.add(service);
    if (this.#isShared === undefined) return NO_EFFECTS;
    return this.#isShared ? [sendUrgently({ type: "ready", service, offer })] : [{ type: "services", isShared: false }];
  }

  /** The first message of the broker came. @param offer of this worker, as in its first READY */
  onAnswered(isShared: boolean, offer: Capabilities | undefined): Effects {
    if (this.#isShared !== undefined) return NO_EFFECTS;
    this.#isShared = isShared;
    if (this.#names.size === 0) return NO_EFFECTS;
    const sent = isShared ? Array.from(this.#names, (service) => sendUrgently({ type: "ready", service, offer })) : [];
    return [{ type: "services", isShared }, ...sent];
  }

  onAnswer({ service, refusal }: ServiceAnswer): Effects {
    if (this.#isShared !== true || !this.#names.has(service)) {
      return [report("P-READY-4", `the broker answered about "${display(service)}", which was not offered`)];
    }
    return refusal === undefined
      ? [{ type: "service-accepted", service }]
      : [{ type: "service-refused", service, reason: refusal }];
  }
}

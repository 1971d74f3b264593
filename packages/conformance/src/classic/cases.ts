// What must hold whichever library a client, a broker and a worker come from. A case makes its own services and peers on
// a system and leaves nothing behind that another case could meet.

import { fieldOf } from "./library-process.ts";
import type { MixedSystem } from "./mixed-system.ts";
import type { ClientPeer, Outcome } from "./peers.ts";

export interface Case {
  /** A complete sentence; the libraries are named around it. */
  readonly name: string;
  /** Whether it holds for our broker alone, because the original's has a fault there. */
  readonly ourBrokerOnly?: boolean;
  run(system: MixedSystem): Promise<void>;
}

/** Why a request failed: our error is an object with a code, the original's is the code. */
export function failureCode({ error }: Pick<Outcome, "error">): unknown {
  return fieldOf(error, "code") ?? error;
}

/** What a handler gave to `reply.error`: the detail of our error, the original's error itself. */
export function handlerError(client: ClientPeer, { error }: Outcome): unknown {
  return client.library === "classic" ? error : fieldOf(error, "detail");
}

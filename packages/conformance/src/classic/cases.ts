// Cases that every combination of libraries must pass. A case creates its own services and peers on a system, and removes what
// could affect another case.

import { fieldOf } from "./library-process.ts";
import type { MixedSystem } from "./mixed-system.ts";
import type { ClientPeer, Outcome } from "./peers.ts";

export interface Case {
  /** A complete sentence, without the names of the libraries. */
  readonly name: string;
  /** Whether it is skipped for the original's broker, which has a fault there. */
  readonly ourBrokerOnly?: boolean;
  run(system: MixedSystem): Promise<void>;
}

/** Why a request failed: our error is an object with a code, the original's error is the code itself. */
export function failureCode({ error }: Pick<Outcome, "error">): unknown {
  return fieldOf(error, "code") ?? error;
}

/** The value that a handler passed to `reply.error`: our error has it as its detail, the original's error is the value itself. */
export function handlerError(client: ClientPeer, { error }: Outcome): unknown {
  return client.library === "classic" ? error : fieldOf(error, "detail");
}

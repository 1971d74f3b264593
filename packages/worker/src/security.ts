// From the options of a worker to what its links are secured with. Whatever would leave them open without a word is refused.

import { UsageError } from "@pigato/protocol";
import { PeerSecurity, type Transport } from "@pigato/transport";
import type { WorkerOptions } from "./options.ts";

/** @throws UsageError for keys and words that are none, for both, and with a transport that would pass them over */
export function resolveSecurity(
  options: Pick<WorkerOptions, "curve" | "plain">,
  transport: Transport,
): PeerSecurity | undefined {
  const security = readSecured(options);
  if (security === undefined || transport.isSecurable === true) return security;
  throw new UsageError('curve and plain need the transport "libzmq", which is chosen if none is given');
}

function readSecured(options: Pick<WorkerOptions, "curve" | "plain">): PeerSecurity | undefined {
  try {
    return PeerSecurity.of(options);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

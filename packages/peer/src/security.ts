// Turns the security options of a client or a worker into the security of its links. Rejects options that would silently leave
// them open.

import { UsageError } from "@pigato/protocol";
import { type CurveOptions, PeerSecurity, type PlainOptions, type Transport } from "@pigato/transport";

export interface SecurityOptions {
  readonly curve?: CurveOptions;
  readonly plain?: PlainOptions;
}

/** @throws UsageError for invalid keys or credentials, for both at once, and for a transport that would ignore them */
export function resolvePeerSecurity(options: SecurityOptions, transport: Transport): PeerSecurity | undefined {
  const security = readSecurity(options);
  const { isSecurable = false } = transport;
  if (security === undefined || isSecurable === true) return security;
  if (isSecurable === "without-curve" && options.curve === undefined) return security;
  const reason = 'curve and plain need the transport "libzmq", which is the default with them';
  throw new UsageError(`${reason}; for plain, "zmtp" works as well`);
}

function readSecurity(options: SecurityOptions): PeerSecurity | undefined {
  try {
    return PeerSecurity.of(options);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

// Selects the mechanism of a link by its security.

import type { PeerSecurity, ServerSecurity } from "../../security/link-security.ts";
import type { SecurityMechanism } from "./mechanism.ts";
import { NULL_AUTHENTICATING_LISTENER, NULL_LISTENER, NULL_PEER } from "./null.ts";
import { PLAIN_LISTENER, plainPeer } from "./plain.ts";

/** @throws TypeError for a mechanism that is not implemented: to ignore it would leave the listener open */
export function listenerMechanism(security: ServerSecurity | undefined): SecurityMechanism {
  switch (security?.mechanism) {
    case undefined:
      return NULL_LISTENER;
    case "NULL":
      return NULL_AUTHENTICATING_LISTENER;
    case "PLAIN":
      return PLAIN_LISTENER;
    default:
      throw notImplemented(security?.mechanism);
  }
}

/** @throws TypeError for a mechanism that is not implemented: to ignore it would send secrets in clear text */
export function peerMechanism(security: PeerSecurity | undefined): SecurityMechanism {
  const credentials = security?.credentials();
  switch (credentials?.mechanism) {
    case undefined:
      return NULL_PEER;
    case "PLAIN":
      return plainPeer(credentials.username, credentials.password);
    default:
      throw notImplemented(credentials?.mechanism);
  }
}

function notImplemented(mechanism: string | undefined): TypeError {
  return new TypeError(`the transport "zmtp" does not implement mechanism ${mechanism}: use "libzmq"`);
}

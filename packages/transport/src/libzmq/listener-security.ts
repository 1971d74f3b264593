// The security of a socket that binds: it registers with the process's ZAP handler from before the first bind until after the
// socket has closed, and reports rejected peers.

import type { Event } from "zeromq";
import { type ConnectionRejection, LinkError } from "../link.ts";
import type { AuthRequest } from "../security/auth-request.ts";
import type { ServerSecurity } from "../security/link-security.ts";
import { type Denial, reportDenial } from "../zap/authenticator.ts";
import { rejectionByListener } from "./handshake-events.ts";
import { zapHandler } from "./zap-handler.ts";

export class ListenerSecurity {
  readonly #security: ServerSecurity;
  readonly #onRejected: (rejection: ConnectionRejection) => void;
  readonly #onDenied = (request: AuthRequest, denial: Denial): void =>
    this.#onRejected({ ...reportDenial(request, denial), remoteAddress: request.address });

  constructor(security: ServerSecurity, onRejected: (rejection: ConnectionRejection) => void) {
    this.#security = security;
    this.#onRejected = onRejected;
  }

  /** Call before each bind. @throws LinkError if peers could not be authenticated at that address */
  open(address: string): void {
    if (address.startsWith("inproc:")) throw noSecurity(address);
    zapHandler.add(this.#security, this.#onDenied);
  }

  close(): void {
    zapHandler.remove(this.#security, this.#onDenied);
  }

  onEvent(event: Event): void {
    const rejection = rejectionByListener(event, this.#security.mechanism);
    if (rejection !== undefined) this.#onRejected(rejection);
  }
}

/** Over inproc, libzmq has no mechanism and accepts every peer. */
export function noSecurity(address: string): LinkError {
  return new LinkError("ADDRESS_INVALID", `cannot secure ${address}: inproc has no security mechanism`, { address });
}

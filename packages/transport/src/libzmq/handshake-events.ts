// Maps libzmq's events of failed handshakes to rejections. At the end that binds, libzmq does not report the peer's address.

import type { Event } from "zeromq";
import type { ConnectionRejection } from "../link.ts";
import type { Mechanism } from "../security/auth-request.ts";
import { rejectionOfStatus } from "../zap/authenticator.ts";

type Failure = Pick<ConnectionRejection, "code" | "detail">;

/** A peer that this listener rejected; `undefined` for other events, and for what the ZAP handler reports in more detail. */
export function rejectionByListener(event: Event, mechanism: Mechanism): ConnectionRejection | undefined {
  const failure = listenerFailure(event, mechanism);
  return failure && { ...failure, mechanism, ...("address" in event && { localAddress: event.address }) };
}

/** A failed connection to the other end; `undefined` for other events. */
export function rejectionByPeer(event: Event, mechanism: Mechanism): ConnectionRejection | undefined {
  const failure = peerFailure(event, mechanism);
  return failure && { ...failure, mechanism, ...("address" in event && { remoteAddress: event.address }) };
}

function listenerFailure(event: Event, mechanism: Mechanism): Failure | undefined {
  switch (event.type) {
    case "handshake:error:protocol":
      if (isMismatch(event)) return otherMechanism(mechanism);
      return { code: "HANDSHAKE_FAILED", detail: `invalid ${mechanism} handshake or wrong key: ${codeOf(event)}` };
    case "handshake:error:other":
      if (codeOf(event) === TIMED_OUT) return { code: "HANDSHAKE_TIMEOUT", detail: "the handshake timed out" };
      return { code: "HANDSHAKE_FAILED", detail: `the peer closed the connection during the ${mechanism} handshake` };
    default:
      return undefined;
  }
}

function peerFailure(event: Event, mechanism: Mechanism): Failure | undefined {
  switch (event.type) {
    case "handshake:error:auth": {
      const status: unknown = Reflect.get(event.error, "status");
      return rejectionOfStatus(String(status), mechanism);
    }
    case "handshake:error:protocol":
      if (isMismatch(event)) return otherMechanism(mechanism);
      return { code: "HANDSHAKE_FAILED", detail: `invalid ${mechanism} handshake: ${codeOf(event)}` };
    case "handshake:error:other":
      // A broker that dies is reported as a lost connection.
      if (codeOf(event) !== CLOSED_BY_PEER) return undefined;
      return {
        code: "HANDSHAKE_FAILED",
        detail: `the peer closed the connection during the handshake${HINTS[mechanism]}`,
      };
    default:
      return undefined;
  }
}

/** How libzmq reports that the other end closed the connection in good order. */
const CLOSED_BY_PEER = "EPIPE";
const TIMED_OUT = "EAGAIN";

const HINTS: Readonly<Record<Mechanism, string>> = {
  NULL: ": it may require curve or plain",
  PLAIN: "",
  CURVE: ": serverKey may not be its key",
};

function otherMechanism(mechanism: Mechanism): Failure {
  return { code: "INCOMPATIBLE", detail: `the peer does not use mechanism ${mechanism}` };
}

function isMismatch(event: Event): boolean {
  return codeOf(event) === "ERR_ZMTP_MECHANISM_MISMATCH";
}

function codeOf(event: Event): string {
  const error: unknown = Reflect.get(event, "error");
  return typeof error === "object" && error !== null ? String(Reflect.get(error, "code")) : "";
}

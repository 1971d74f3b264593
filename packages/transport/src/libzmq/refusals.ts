// What libzmq tells of handshakes that failed, in our words. At the end that binds it does not tell who it was.

import type { Event } from "zeromq";
import type { Refusal } from "../link.ts";
import type { Mechanism } from "../security/applicant.ts";

type Failure = Pick<Refusal, "code" | "detail">;

/** What became of a peer that came to us; `undefined` for other events, and for what the ZAP handler tells better. */
export function refusedHere(event: Event, mechanism: Mechanism): Refusal | undefined {
  const failure = failedHere(event, mechanism);
  return failure && { ...failure, mechanism, ...("address" in event && { localAddress: event.address }) };
}

/** What became of us where we went; `undefined` for other events. */
export function refusedThere(event: Event, mechanism: Mechanism): Refusal | undefined {
  const failure = failedThere(event, mechanism);
  return failure && { ...failure, mechanism, ...("address" in event && { remoteAddress: event.address }) };
}

function failedHere(event: Event, mechanism: Mechanism): Failure | undefined {
  switch (event.type) {
    case "handshake:error:protocol":
      if (isMismatch(event)) return { code: "INCOMPATIBLE", detail: `it does not use ${mechanism}` };
      return {
        code: "HANDSHAKE_FAILED",
        detail: `its handshake is not right for ${mechanism} and our key: ${codeOf(event)}`,
      };
    case "handshake:error:other":
      if (codeOf(event) === TIMED_OUT) {
        return { code: "HANDSHAKE_TIMEOUT", detail: "it did not introduce itself in time" };
      }
      return { code: "HANDSHAKE_FAILED", detail: `it ended the connection before it was let in by ${mechanism}` };
    default:
      return undefined;
  }
}

function failedThere(event: Event, mechanism: Mechanism): Failure | undefined {
  switch (event.type) {
    case "handshake:error:auth": {
      const status: unknown = Reflect.get(event.error, "status");
      if (status === 400) return { code: "DENIED", detail: `it does not let us in with what we show (${mechanism})` };
      return { code: "UNDECIDED", detail: `it could not find out whether to let us in (${String(status)})` };
    }
    case "handshake:error:protocol":
      if (isMismatch(event)) return { code: "INCOMPATIBLE", detail: `it does not use ${mechanism}` };
      return { code: "HANDSHAKE_FAILED", detail: `its handshake is not right for ${mechanism}: ${codeOf(event)}` };
    case "handshake:error:other":
      // A broker that dies is another matter.
      if (codeOf(event) !== LEFT) return undefined;
      return { code: "HANDSHAKE_FAILED", detail: `it ended the connection before it let us in${REASONS[mechanism]}` };
    default:
      return undefined;
  }
}

/** How libzmq says that a connection was ended in good order. */
const LEFT = "EPIPE";
const TIMED_OUT = "EAGAIN";

const REASONS: Readonly<Record<Mechanism, string>> = {
  NULL: ", as it does if it asks for curve or plain",
  PLAIN: "",
  CURVE: ", as it does if serverKey is not its key",
};

function isMismatch(event: Event): boolean {
  return codeOf(event) === "ERR_ZMTP_MECHANISM_MISMATCH";
}

function codeOf(event: Event): string {
  const error: unknown = Reflect.get(event, "error");
  return typeof error === "object" && error !== null ? String(Reflect.get(error, "code")) : "";
}

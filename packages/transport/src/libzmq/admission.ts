// How a socket that binds lets peers in: has the process's ZAP handler ask its check, and tells who was kept out. It is
// there from before the first bind until after the socket is closed.

import type { Event } from "zeromq";
import { LinkError, type Refusal } from "../link.ts";
import type { Applicant } from "../security/applicant.ts";
import type { ServerSecurity } from "../security/security.ts";
import type { Denial } from "../zap/desk.ts";
import { refusedHere } from "./refusals.ts";
import { zapHandler } from "./zap.ts";

export class Admission {
  readonly #security: ServerSecurity;
  readonly #onRefused: (refusal: Refusal) => void;
  readonly #onDenied = (applicant: Applicant, denial: Denial): void => this.#onRefused(refusalOf(applicant, denial));

  constructor(security: ServerSecurity, onRefused: (refusal: Refusal) => void) {
    this.#security = security;
    this.#onRefused = onRefused;
  }

  /** To be called before each bind. @throws LinkError if peers could not be checked there */
  open(address: string): void {
    if (address.startsWith("inproc:")) throw noSecurity(address);
    zapHandler.enter(this.#security, this.#onDenied);
  }

  close(): void {
    zapHandler.leave(this.#security, this.#onDenied);
  }

  onEvent(event: Event): void {
    const refusal = refusedHere(event, this.#security.mechanism);
    if (refusal !== undefined) this.#onRefused(refusal);
  }
}

/** Within a process, libzmq knows no mechanism and lets everybody in. */
export function noSecurity(address: string): LinkError {
  return new LinkError("ADDRESS_INVALID", `${address} cannot be secured: inproc has no mechanism`, { address });
}

function refusalOf(applicant: Applicant, denial: Denial): Refusal {
  const { mechanism, address: remoteAddress } = applicant;
  const from = { mechanism, remoteAddress };
  switch (denial.type) {
    case "denied":
      return { code: "DENIED", detail: "authenticate does not let it in", ...from };
    case "other-mechanism":
      return { code: "INCOMPATIBLE", detail: `it shows ${mechanism}, which is not asked for`, ...from };
    case "late":
      return { code: "UNDECIDED", detail: "authenticate took too long", ...from };
    case "too-many":
      return { code: "UNDECIDED", detail: "too many are being asked about at once", ...from };
    case "failed":
      return { code: "UNDECIDED", detail: "authenticate failed", cause: denial.cause, ...from };
    default:
      return denial satisfies never;
  }
}

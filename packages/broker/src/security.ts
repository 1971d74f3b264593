// Turns the security options into per-listener socket security. Each listener role has its own ZAP domain, so that
// `authenticate` knows which listener a peer connects to.

import { UsageError } from "@pigato/protocol";
import { type CurveServerOptions, type AuthRequest as LinkAuthRequest, ServerSecurity } from "@pigato/transport";

/** What a listener is for: both roles, clients only, workers only, the internal channel. */
export type ListenerRole = "bind" | "frontend" | "backend" | "intch";

/** A peer that wants to connect, with its credentials. `domain` is the broker's `zapDomain`. */
export type AuthRequest = LinkAuthRequest & { readonly listener: ListenerRole };

export type Authenticate = (request: AuthRequest) => boolean | PromiseLike<boolean>;

/** The security of a listener's sockets; `undefined` if every peer may connect. */
export type SecurityOf = (listener: ListenerRole) => ServerSecurity | undefined;

export interface SecuritySettings {
  readonly curve: CurveServerOptions | undefined;
  readonly plain: boolean;
  readonly authenticate: Authenticate | undefined;
  readonly authenticateTimeoutMs: number;
  readonly zapDomain: string;
}

const LISTENER_ROLES: readonly ListenerRole[] = ["bind", "frontend", "backend", "intch"];

/** @throws UsageError for options that contradict each other or would authorize every peer, and for invalid keys */
export function resolveSecurity(settings: SecuritySettings): SecurityOf {
  const { curve, plain, authenticate } = settings;
  if (plain && curve !== undefined) throw new UsageError("curve and plain exclude each other");
  if (plain && authenticate === undefined) throw new UsageError("plain needs authenticate, which checks the passwords");
  if (curve === undefined && authenticate === undefined) return () => undefined;
  const byListener = new Map(LISTENER_ROLES.map((listener) => [listener, securityFor(listener, settings)]));
  return (listener) => byListener.get(listener);
}

/** @throws UsageError for an address that libzmq would leave open: inproc has no mechanism */
export function checkAddresses(addresses: readonly string[], securityOf: SecurityOf): void {
  if (securityOf("bind") === undefined) return;
  const open = addresses.find((address) => address.startsWith("inproc:"));
  if (open === undefined) return;
  throw new UsageError(`${open} cannot be secured: with curve, plain or authenticate, listen at tcp or ipc`);
}

function securityFor(listener: ListenerRole, settings: SecuritySettings): ServerSecurity {
  const { curve, plain, authenticate, authenticateTimeoutMs: timeoutMs, zapDomain } = settings;
  const authentication = authenticate && {
    domain: `${zapDomain}/${listener}`,
    timeoutMs,
    authenticate: (request: LinkAuthRequest) =>
      authenticate(Object.freeze({ ...request, domain: zapDomain, listener })),
  };
  try {
    return new ServerSecurity(curve ?? (plain ? "PLAIN" : "NULL"), authentication);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

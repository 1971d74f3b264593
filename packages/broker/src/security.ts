// Who may come in, from a broker's options to what its sockets are secured with. Every entrance has a ZAP domain of its own, so
// that the same function is told which of them somebody stands at.

import { UsageError } from "@pigato/protocol";
import { type AuthRequest, type CurveServerOptions, ServerSecurity } from "@pigato/transport";
import type { BrokerOptions } from "./options.ts";

/** Where a peer wants to come in: by an address for both roles, for clients alone, for workers alone; by the internal channel. */
export type Entrance = "bind" | "frontend" | "backend" | "intch";

/** A peer that asks to be let in, and what it shows for it. `domain` is the broker's `zapDomain`. */
export type AskingPeer = AuthRequest & { readonly entrance: Entrance };

export type Authenticate = (peer: AskingPeer) => boolean | PromiseLike<boolean>;

/** What the sockets of an entrance are secured with; `undefined` if everybody may come in. */
export type SecurityOf = (entrance: Entrance) => ServerSecurity | undefined;

type Options = Pick<BrokerOptions, "curve" | "plain" | "authenticate" | "zapDomain">;

const ENTRANCES: readonly Entrance[] = ["bind", "frontend", "backend", "intch"];
const MAX_DOMAIN_CHARACTERS = 200;
const DOMAIN = new RegExp(`^[!-~]{1,${MAX_DOMAIN_CHARACTERS}}$`);

/** @throws UsageError for options that are none, contradict each other, or keep nobody out */
export function resolveSecurity(options: Options, timeoutMs: number): SecurityOf {
  // Whoever asks for it and has nothing to give, say of a file without that name in it, shall not get an open broker.
  for (const name of ["curve", "plain", "authenticate"] as const) {
    if (Object.hasOwn(options, name) && options[name] === undefined)
      throw new UsageError(`${name} is given as undefined`);
  }
  const { curve, plain = false, authenticate, zapDomain = `pigato-${crypto.randomUUID()}` } = options;
  if (typeof plain !== "boolean") throw new UsageError("plain is true or false");
  if (plain && curve !== undefined) throw new UsageError("curve and plain exclude each other");
  if (plain && authenticate === undefined)
    throw new UsageError("plain needs authenticate: nobody else knows the passwords");
  if (authenticate !== undefined && typeof authenticate !== "function") {
    throw new UsageError("authenticate is a function that takes a peer and answers true or false");
  }
  if (typeof zapDomain !== "string" || !DOMAIN.test(zapDomain)) {
    throw new UsageError(`zapDomain is 1 to ${MAX_DOMAIN_CHARACTERS} printable characters without a space`);
  }
  if (curve === undefined && authenticate === undefined) return () => undefined;
  const what = curve ?? (plain ? "PLAIN" : "NULL");
  const all = new Map(
    ENTRANCES.map((entrance) => [entrance, secured(what, entrance, zapDomain, authenticate, timeoutMs)]),
  );
  return (entrance) => all.get(entrance);
}

/** @throws UsageError for an address where libzmq would let everybody in, because there it knows no mechanism */
export function checkAddresses(addresses: readonly string[], securityOf: SecurityOf): void {
  if (securityOf("bind") === undefined) return;
  const open = addresses.find((address) => address.startsWith("inproc:"));
  if (open === undefined) return;
  throw new UsageError(`${open} cannot be secured: with curve, plain or authenticate a broker listens at tcp and ipc`);
}

function secured(
  what: CurveServerOptions | "PLAIN" | "NULL",
  entrance: Entrance,
  zapDomain: string,
  authenticate: Authenticate | undefined,
  timeoutMs: number,
): ServerSecurity {
  const check = authenticate && {
    domain: `${zapDomain}/${entrance}`,
    timeoutMs,
    authenticate: (request: AuthRequest) => authenticate(Object.freeze({ ...request, domain: zapDomain, entrance })),
  };
  try {
    return new ServerSecurity(what, check);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

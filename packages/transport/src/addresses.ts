// Which addresses can be had, and what a system's refusal of one means. What libzmq gets wrong is looked at first: a port
// beyond 65535 wraps around to another one there, and an ipc path is taken away from whoever listens at it.

import { connect } from "node:net";
import { LinkError } from "./link.ts";

export type AddressKind = "tcp" | "ipc" | "inproc";

const TCP = /^tcp:\/\/.+:(\*|\d{1,5})$/;
const MAX_PORT = 65_535;

/** What is answered for an address that cannot be used, whoever else uses it. */
const INVALID: ReadonlySet<unknown> = new Set([
  "EINVAL",
  "EPROTONOSUPPORT",
  "ENOCOMPATPROTO",
  "ENODEV",
  "ENOENT",
  "ENAMETOOLONG",
  "EADDRNOTAVAIL",
]);

/** @throws LinkError for what is not an address to bind to */
export function kindToBind(address: string): AddressKind {
  return kindOf(address, (port) => port === "*" || Number(port) <= MAX_PORT);
}

/** @throws LinkError for what is not an address to connect to */
export function kindToConnect(address: string): AddressKind {
  return kindOf(address, (port) => port !== "*" && Number(port) > 0 && Number(port) <= MAX_PORT);
}

function kindOf(address: string, isPort: (port: string) => boolean): AddressKind {
  if (/^ipc:\/\/./.test(address)) return "ipc";
  if (/^inproc:\/\/./.test(address)) return "inproc";
  const port = TCP.exec(address)?.[1];
  if (port !== undefined && isPort(port)) return "tcp";
  throw new LinkError("ADDRESS_INVALID", `"${address}" is not an address of the form tcp://, ipc:// or inproc://`, {
    address,
  });
}

/** Whether a tcp address names an IPv6 host, which libzmq takes only where it is allowed to. */
export function isIpv6(address: string): boolean {
  return address.includes("[");
}

/** @throws LinkError if somebody listens at the path of an ipc address */
export async function refuseTakenPath(address: string): Promise<void> {
  const path = address.slice("ipc://".length);
  // Names that are not in the file system, and names that libzmq makes up, cannot be taken away.
  if (path.startsWith("@") || path === "*") return;
  if (await hasListener(path)) throw refusal(address, { code: "EADDRINUSE" });
}

function hasListener(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

/** What the system or libzmq refused to do with an address, as callers know it. */
export function refusal(address: string, cause: unknown): LinkError {
  const code = errorCode(cause);
  if (code === "EADDRINUSE") {
    return new LinkError("ADDRESS_IN_USE", `the address ${address} is in use`, { address, cause });
  }
  if (INVALID.has(code)) {
    return new LinkError("ADDRESS_INVALID", `the address ${address} cannot be used here: ${code}`, { address, cause });
  }
  return new LinkError("FAILED", `the address ${address} was refused: ${code ?? String(cause)}`, { address, cause });
}

/** The system's name for an error, e.g. `EAGAIN`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

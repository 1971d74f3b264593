// Validates addresses and explains why the system rejected one. It catches a fault of libzmq first: a port above 65535 wraps around
// to another port.

import { isIP } from "node:net";
import { descriptorHint, descriptorShortage } from "./descriptors.ts";
import { type ConnectionRejection, LinkError } from "./link.ts";

export type AddressKind = "tcp" | "ipc" | "inproc";

const MAX_PORT = 65_535;

/** Error codes for an address that can never be used here. */
const INVALID_ADDRESS_CODES: ReadonlySet<unknown> = new Set([
  "EINVAL",
  "EPROTONOSUPPORT",
  "ENOCOMPATPROTO",
  "ENODEV",
  "ENOENT",
  "ENAMETOOLONG",
  "EADDRNOTAVAIL",
]);

/** @throws LinkError for an address that cannot be bound */
export function kindToBind(address: string): AddressKind {
  return kindOf(address, (_host, port) => (port === "*" ? undefined : portFault(port, 0)));
}

/** @throws LinkError for an address that cannot be connected to */
export function kindToConnect(address: string): AddressKind {
  return kindOf(address, (host, port) => {
    if (host === "*") return 'the host "*" is only for listening; name the host of the other end';
    if (port === "*") return 'the port "*" is only for listening; name the port of the other end';
    return portFault(port, 1);
  });
}

/** @param faultOf why a host and a port cannot be used */
function kindOf(address: string, faultOf: (host: string, port: string) => string | undefined): AddressKind {
  const [, scheme = "", rest = ""] = /^([^:/]*):\/\/(.*)$/s.exec(address) ?? [];
  const kind = kindOfScheme(scheme);
  if (kind === undefined) throw invalid(address, "expected tcp://host:port, ipc://path or inproc://name");
  if (hasStrayCharacter(kind, rest)) {
    throw invalid(
      address,
      "it contains white space or a control character, as at the end of a line that was read from a file",
    );
  }
  if (kind !== "tcp") {
    if (rest === "") throw invalid(address, `the ${kind === "ipc" ? "path" : "name"} is missing`);
    return kind;
  }
  const [, host, port] = /^(\[.*\]|[^:].*?|::.*?)(?::([^:\]]*))?$/s.exec(rest) ?? [];
  if (host === undefined) throw invalid(address, "the host is missing, as in tcp://127.0.0.1:55555");
  if (port === undefined || port === "") throw invalid(address, `the port is missing, as in tcp://${host}:55555`);
  const fault = hostFault(host) ?? faultOf(host, port);
  if (fault !== undefined) throw invalid(address, fault);
  return kind;
}

function kindOfScheme(scheme: string): AddressKind | undefined {
  return scheme === "tcp" || scheme === "ipc" || scheme === "inproc" ? scheme : undefined;
}

/** A path may contain spaces, but rarely at its ends. */
function hasStrayCharacter(kind: AddressKind, rest: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
  return kind === "tcp" ? /[\s\0-\x1f\x7f]/.test(rest) : rest !== rest.trim() || /[\0-\x1f\x7f]/.test(rest);
}

function hostFault(host: string): string | undefined {
  const isBracketed = host.startsWith("[");
  if (!isBracketed && !host.includes(":")) return undefined;
  const ip = isBracketed ? host.slice(1, -1) : host;
  if (isIP(ip) !== 6 || (isBracketed && !host.endsWith("]"))) return `${JSON.stringify(host)} is not an IPv6 address`;
  if (!/^fe[89ab]/i.test(ip) || ip.includes("%")) return undefined;
  return `the link-local address ${host} needs the interface, as in [${ip}%eth0]`;
}

function portFault(port: string, least: number): string | undefined {
  if (!/^\d+$/.test(port)) return `the port ${JSON.stringify(port)} is not a number`;
  return Number(port) >= least && Number(port) <= MAX_PORT
    ? undefined
    : `the port ${port} is out of range: ${least} to ${MAX_PORT}`;
}

function invalid(address: string, reason: string): LinkError {
  return new LinkError("ADDRESS_INVALID", `invalid address ${JSON.stringify(address)}: ${reason}`, { address });
}

/** The host of a tcp address, without brackets. */
export function hostOf(address: string): string {
  return address.slice("tcp://".length, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

/** Whether the host of a tcp address is an IPv6 address. libzmq needs an option for it. */
export function isIpv6(address: string): boolean {
  return address.startsWith("tcp:") && hostOf(address).includes(":");
}

/** Wraps what the system or libzmq reports for a failed bind. */
export function bindError(address: string, cause: unknown): LinkError {
  return addressError(`cannot bind ${address}`, address, cause);
}

export function unbindError(address: string, cause: unknown): LinkError {
  return addressError(`cannot unbind ${address}`, address, cause);
}

export function connectError(address: string, cause: unknown): LinkError {
  return addressError(`cannot connect to ${address}`, address, cause);
}

/** An attempt to connect failed. @param given the socket's error, or the reason as text */
export function unreachableError(address: string, given: Error | string): LinkError {
  // Without a file descriptor, no name is found.
  const cause = isLookup(given) ? (descriptorShortage() ?? given) : given;
  const reason = typeof cause === "string" ? cause : hinted(cause);
  return new LinkError("UNREACHABLE", `cannot connect to ${address}: ${reason}`, { address, cause });
}

/** One end rejected the other during an attempt to connect. */
export function rejectedError(address: string, { code, detail, cause }: ConnectionRejection): LinkError {
  return new LinkError("REFUSED", `connection to ${address} rejected: ${code}, ${detail}`, { address, cause });
}

/** The system could not accept a connection. */
export function acceptFailure(cause: Error): Pick<ConnectionRejection, "code" | "detail"> {
  const isShortage = descriptorHint(errorCode(cause)) !== undefined;
  return { code: isShortage ? "OUT_OF_DESCRIPTORS" : "ACCEPT_FAILED", detail: hinted(cause) };
}

/** No file descriptor is left. @param cause what `descriptorShortage` returned */
export function shortageError(failure: string, cause: Error): LinkError {
  return new LinkError("FAILED", `${failure}: ${hinted(cause)}`, { cause });
}

/** The reason, and what it may mean or what to do. */
function hinted(error: Error): string {
  const code = errorCode(error);
  const hint = code === "ECONNRESET" ? RESET_HINT : descriptorHint(code);
  return hint === undefined ? reasonOf(error) : `${reasonOf(error)}: ${hint}`;
}

const RESET_HINT = "the other end closed the connection, as a broker with too many connections does";

function isLookup(cause: Error | string): boolean {
  return typeof cause !== "string" && Reflect.get(cause, "syscall") === "getaddrinfo";
}

/** Node's error for a name with several addresses has no message, only the errors of all addresses. */
function reasonOf(error: Error): string {
  const errors: unknown = Reflect.get(error, "errors");
  const texts = Array.isArray(errors)
    ? errors.map((each: unknown) => messageOf(each) ?? String(each))
    : [error.message];
  // Node adds the local address to the error of a socket that has none.
  return texts.map((text) => text.replace(" - Local (undefined:undefined)", "")).join("; ");
}

function addressError(failure: string, address: string, cause: unknown): LinkError {
  const code = errorCode(cause);
  if (code === "EADDRINUSE") {
    return new LinkError("ADDRESS_IN_USE", `${failure}: the address is in use`, { address, cause });
  }
  const reason = messageOf(cause) ?? code ?? String(cause);
  const linkCode = INVALID_ADDRESS_CODES.has(code) ? "ADDRESS_INVALID" : "FAILED";
  return new LinkError(linkCode, `${failure}: ${reason}`, { address, cause });
}

function messageOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
  return typeof error.message === "string" ? error.message : undefined;
}

/** The system's code of an error, such as `EAGAIN`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

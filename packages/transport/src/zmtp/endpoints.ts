// Converts ZeroMQ addresses to endpoints of Node's sockets and back. It resolves ZeroMQ's own notations: `*` for every host and
// for a free port, the name of a network interface, `ipc://@name` for an abstract socket, `ipc://*` for a new path.

import { randomUUID } from "node:crypto";
import { type AddressInfo, isIP, isIPv6, type Server, type Socket } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { hostOf, kindToBind, kindToConnect } from "../addresses.ts";
import { LinkError } from "../link.ts";

export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

type InterfaceAddress = Pick<NetworkInterfaceInfo, "address" | "family">;
type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>;

const ANY_HOST = "0.0.0.0";
const PADS_NAMES = isOlderThan(process.versions.uv, 1, 47);
/** The system's bound for the path of a local socket, without the zero at its end. It truncates longer paths. */
const MAX_PATH_BYTES = 107;

/**
 * Whether only libzmq supports an address here: inproc, or an abstract socket on a Node whose libuv (before 1.47) pads its name
 * with zeros, so that other programs cannot find it.
 */
export function needsLibzmq(address: string): boolean {
  return address.startsWith("inproc:") || (address.startsWith("ipc://@") && PADS_NAMES);
}

/** @throws LinkError for an address that cannot be bound */
export function endpointToBind(address: string, listInterfaces: () => Interfaces = networkInterfaces): Endpoint {
  const kind = kindToBind(address);
  if (needsLibzmq(address)) throw onlyLibzmq(address);
  if (kind === "tcp") {
    const { host, port } = tcpEndpoint(address);
    return { host: host === "*" ? ANY_HOST : (hostOfInterface(host, listInterfaces) ?? host), port };
  }
  return { path: address === "ipc://*" ? join(tmpdir(), `pigato-${randomUUID()}.sock`) : localPath(address) };
}

/** @throws LinkError for an address that cannot be connected to */
export function endpointToConnect(address: string): Endpoint {
  const kind = kindToConnect(address);
  if (needsLibzmq(address)) throw onlyLibzmq(address);
  return kind === "tcp" ? tcpEndpoint(address) : { path: localPath(address) };
}

/** The address that a server listens on. */
export function boundAddress(server: Server): string {
  const bound = server.address();
  if (bound === null) return "";
  return typeof bound === "string" ? `ipc://${bound.replace(/^\0/, "@")}` : tcpAddress(bound.address, bound.port);
}

/** The address of the other end of a tcp connection. */
export function remoteAddress(socket: Socket): string | undefined {
  const { remoteAddress: host, remotePort: port } = socket;
  return host === undefined || port === undefined ? undefined : tcpAddress(host, port);
}

/**
 * Whether a tcp connection is one to itself. TCP allows it (RFC 9293, 3.5): if nothing listens at a local port, and the system picks that
 * port for the socket that connects to it, the socket meets its own SYN.
 */
export function isSelfConnected({ localAddress, localPort, remoteAddress, remotePort }: Socket): boolean {
  return remoteAddress !== undefined && localAddress === remoteAddress && localPort === remotePort;
}

function tcpAddress(host: AddressInfo["address"], port: number): string {
  return `tcp://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function tcpEndpoint(address: string): { host: string; port: number } {
  const port = address.slice(address.lastIndexOf(":") + 1);
  return { host: hostOf(address), port: port === "*" ? 0 : Number(port) };
}

function localPath(address: string): string {
  const path = address.slice("ipc://".length).replace(/^@/, "\0");
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return path;
  throw new LinkError(
    "ADDRESS_INVALID",
    `invalid address "${address}": its path is longer than ${MAX_PATH_BYTES} bytes`,
    { address },
  );
}

/**
 * An IPv4 address if it has one, as libzmq does. A link-local address alone does not name its interface. What cannot be an interface is
 * not looked up, because that takes a permission in Deno.
 */
function hostOfInterface(name: string, listInterfaces: () => Interfaces): string | undefined {
  if (isIP(name) !== 0 || name === "localhost") return undefined;
  const addresses = orNone(listInterfaces)[name] ?? [];
  const first = (fits: (address: InterfaceAddress) => boolean): string | undefined => addresses.find(fits)?.address;
  const isLinkLocal = ({ address }: InterfaceAddress): boolean => /^fe[89ab]/i.test(address);
  const host = first(({ family }) => family === "IPv4") ?? first((address) => !isLinkLocal(address));
  if (host !== undefined) return host;
  const linkLocal = first(isLinkLocal);
  return linkLocal === undefined ? undefined : `${linkLocal}%${name}`;
}

function orNone(listInterfaces: () => Interfaces): Interfaces {
  try {
    return listInterfaces();
  } catch {
    return {};
  }
}

function isOlderThan(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

function onlyLibzmq(address: string): LinkError {
  return new LinkError("ADDRESS_INVALID", `cannot use ${address}: it needs the transport "libzmq" here`, { address });
}

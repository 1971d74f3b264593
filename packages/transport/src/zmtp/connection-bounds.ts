// Decides which connections a listener accepts, and which idle ones make room. Pure: callers pass the time and what they know.
//
// A connection is idle if its peer never sent a message. At a bound, the oldest idle one makes room, once it has had the time to
// send. So peers that only hold connections cannot lock out others. An idle peer that is honest reconnects.
//
// A process without file descriptors cannot report this: Node accepts each further connection and closes it, without an event.
// Systems assign the lowest free descriptor, so the descriptor of a new connection shows how many are left.

import { IdleList, type PeerActivity } from "./idle-list.ts";
import type { Violation } from "./wire.ts";

/** Milliseconds after which an idle connection can be evicted. */
export const EVICTION_AGE_MS = 3_000;
/** Descriptors that are kept for everything else that the process does: this many, but at most an eighth of all. */
const KEPT_DESCRIPTORS = 64;
/** An eighth is kept: of the connections for other addresses, and of the descriptors if there are few. */
const KEPT_SHARE = 8;

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** 0: all but an eighth of the connections. */
  readonly maxConnectionsPerAddress: number;
  /** 0: no limit. */
  readonly idleConnectionMs: number;
}

/** What is known of a new connection. */
export interface Arrival {
  /** Its IP address. Unknown over ipc. */
  readonly host: string | undefined;
  readonly descriptor: number | undefined;
}

export interface Verdict<Connection> {
  /** Why the new connection is rejected. */
  readonly rejection?: Violation;
  /** It made room, and must end. It is removed already. */
  readonly evicted?: Connection | undefined;
}

/** The connections of one address. */
interface Group<Connection extends PeerActivity> {
  count: number;
  readonly idle: IdleList<Connection>;
}

export class ConnectionBounds<Connection extends PeerActivity> {
  readonly #idleMs: number;
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #descriptorLimit: number;
  /** Why there are no more than `#maxConnections`. */
  readonly #reason: string;
  /** Why there are no more than `#maxPerAddress`. */
  readonly #addressReason: string;
  /** The group of each connection. */
  readonly #connections = new Map<Connection, string | undefined>();
  readonly #idle = new IdleList<Connection>();
  readonly #groups = new Map<string, Group<Connection>>();

  /** @param descriptorLimit the most file descriptors of this process; Infinity if unknown */
  constructor(bounds: ConnectionLimits, descriptorLimit: number) {
    const { maxConnections, maxConnectionsPerAddress, idleConnectionMs } = bounds;
    // Twice: for what this process has open already, and for what it may need later.
    const affordable = Math.max(1, descriptorLimit - 2 * keptOf(descriptorLimit));
    this.#maxConnections = Math.min(maxConnections, affordable);
    this.#reason = maxConnections <= affordable ? "the bound maxConnections" : limitHint(descriptorLimit);
    const isGiven = maxConnectionsPerAddress > 0;
    this.#maxPerAddress = isGiven
      ? maxConnectionsPerAddress
      : this.#maxConnections - Math.floor(this.#maxConnections / KEPT_SHARE);
    this.#addressReason = isGiven
      ? "the bound maxConnectionsPerAddress"
      : `all but an eighth of ${this.#maxConnections}: ${this.#reason}`;
    this.#idleMs = idleConnectionMs;
    this.#descriptorLimit = descriptorLimit;
  }

  /** When `expire` must be called next. */
  get nextExpiry(): number | undefined {
    const since = this.#idleMs === 0 ? undefined : this.#idle.firstSince;
    return since === undefined ? undefined : since + this.#idleMs;
  }

  /** Whether a new connection is accepted. If so, call `add`. */
  accept({ host, descriptor = 0 }: Arrival, now: number): Verdict<Connection> {
    const isScarce = descriptor >= this.#descriptorLimit - keptOf(this.#descriptorLimit);
    if (isScarce) {
      // The new one is rejected, too, because it uses one of the kept descriptors. Its next attempt succeeds.
      const detail = `descriptor ${descriptor} is one of the last: ${limitHint(this.#descriptorLimit)}`;
      return { rejection: { code: "OUT_OF_DESCRIPTORS", detail }, evicted: this.#evict(this.#idle, now) };
    }
    const isFull = this.#connections.size >= this.#maxConnections;
    const group = host === undefined ? undefined : this.#groups.get(addressGroup(host));
    const isGroupFull = group !== undefined && group.count >= this.#maxPerAddress;
    if (!isFull && !isGroupFull) return {};
    const evicted = this.#evict(isGroupFull ? group.idle : this.#idle, now);
    if (evicted !== undefined) return { evicted };
    if (isFull) {
      const detail = `${this.#connections.size} connections are open: ${this.#reason}`;
      return { rejection: { code: "TOO_MANY_CONNECTIONS", detail } };
    }
    const detail = `${this.#maxPerAddress} connections from ${host} are open: ${this.#addressReason}`;
    return { rejection: { code: "TOO_MANY_FROM_ADDRESS", detail } };
  }

  /** A connection was accepted. */
  add(connection: Connection, { host }: Pick<Arrival, "host">, now: number): void {
    const name = host === undefined ? undefined : addressGroup(host);
    this.#connections.set(connection, name);
    this.#idle.add(connection, now);
    if (name === undefined) return;
    const group = this.#groups.get(name) ?? { count: 0, idle: new IdleList<Connection>() };
    group.count += 1;
    group.idle.add(connection, now);
    this.#groups.set(name, group);
  }

  /** A connection has ended. */
  remove(connection: Connection): void {
    const name = this.#connections.get(connection);
    if (!this.#connections.delete(connection)) return;
    this.#idle.delete(connection);
    const group = name === undefined ? undefined : this.#groups.get(name);
    if (name === undefined || group === undefined) return;
    group.idle.delete(connection);
    group.count -= 1;
    if (group.count === 0) this.#groups.delete(name);
  }

  /** Removes the connections that were idle for too long. They must end. */
  expire(now: number): readonly Connection[] {
    const expired: Connection[] = [];
    if (this.#idleMs === 0) return expired;
    for (let next = this.#idle.take(now, this.#idleMs); next !== undefined; next = this.#idle.take(now, this.#idleMs)) {
      this.remove(next);
      expired.push(next);
    }
    return expired;
  }

  #evict(idle: IdleList<Connection>, now: number): Connection | undefined {
    const evicted = idle.take(now, EVICTION_AGE_MS);
    if (evicted !== undefined) this.remove(evicted);
    return evicted;
  }
}

/** What a bound per address counts as one: an IPv4 address, or the network of 64 bits that one IPv6 host may have to itself. */
export function addressGroup(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  // The hosts of one link share a link-local network.
  if (!host.includes(":") || /^fe[89ab]/i.test(host)) return host;
  const [head = "", tail = ""] = host.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return `${[...first, ...zeros, ...last].slice(0, 4).join(":")}::/64`;
}

function keptOf(descriptorLimit: number): number {
  return Math.min(KEPT_DESCRIPTORS, Math.floor(descriptorLimit / KEPT_SHARE));
}

function limitHint(descriptorLimit: number): string {
  return `this process may open ${descriptorLimit} files; raise the limit (ulimit -n), or lower maxConnections`;
}

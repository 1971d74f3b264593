import { beforeEach, describe, expect, test } from "vitest";
import { addressGroup, ConnectionBounds, type ConnectionLimits, EVICTION_AGE_MS } from "./connection-bounds.ts";

interface Peer {
  readonly name: string;
  hasSent: boolean;
  isReceiving: boolean;
}

const LIMITS: ConnectionLimits = { maxConnections: 1_000, maxConnectionsPerAddress: 0, idleConnectionMs: 0 };

let bounds: ConnectionBounds<Peer>;
let now = 0;
/** The names of the peers that were evicted. */
let evicted: string[] = [];

beforeEach(() => {
  now = 1_000;
  evicted = [];
});

function start(limits: Partial<ConnectionLimits>, descriptorLimit = Number.POSITIVE_INFINITY): void {
  bounds = new ConnectionBounds<Peer>({ ...LIMITS, ...limits }, descriptorLimit);
}

/** @returns the new peer, or why it is rejected */
function arrive(name: string, host?: string, descriptor?: number): Peer | { code: string; detail: string } {
  const arrival = { host, descriptor };
  const verdict = bounds.accept(arrival, now);
  if (verdict.evicted !== undefined) evicted.push(verdict.evicted.name);
  if (verdict.rejection !== undefined) return verdict.rejection;
  const peer = { name, hasSent: false, isReceiving: false };
  bounds.add(peer, arrival, now);
  return peer;
}

/** A peer that is accepted. */
function accepted(name: string, host?: string): Peer {
  const peer = arrive(name, host);
  if ("code" in peer) throw new Error(peer.detail);
  return peer;
}

describe("at maxConnections", () => {
  beforeEach(() => start({ maxConnections: 2 }));

  test("the oldest idle connection makes room, once it has had the time to send", () => {
    accepted("a");
    now += 1;
    const b = accepted("b");
    now += EVICTION_AGE_MS - 2;
    expect(arrive("c")).toEqual({
      code: "TOO_MANY_CONNECTIONS",
      detail: "2 connections are open: the bound maxConnections",
    });
    now += 1;
    accepted("d");
    expect(evicted).toEqual(["a"]);
    expect(arrive("e")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    bounds.remove(b);
    accepted("f");
  });

  test("a connection that has sent never makes room", () => {
    accepted("a").hasSent = true;
    accepted("b").hasSent = true;
    now += EVICTION_AGE_MS;
    expect(arrive("c")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    expect(evicted).toEqual([]);
  });

  test("a connection with a slow first message makes no room until it has stopped", () => {
    const slow = accepted("slow");
    slow.isReceiving = true;
    accepted("used").hasSent = true;
    now += EVICTION_AGE_MS;
    expect(arrive("c")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    slow.isReceiving = false;
    now += EVICTION_AGE_MS - 1;
    expect(arrive("d")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    now += 1;
    accepted("e");
    expect(evicted).toEqual(["slow"]);
  });

  test("the end of a connection makes room, and counts once", () => {
    const a = accepted("a");
    accepted("b");
    bounds.remove(a);
    bounds.remove(a);
    accepted("c");
    expect(arrive("d")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
  });
});

describe("at maxConnectionsPerAddress", () => {
  test("a further connection from that address is rejected, and others are not", () => {
    start({ maxConnectionsPerAddress: 2 });
    const first = accepted("a", "10.0.0.1");
    accepted("b", "10.0.0.1");
    expect(arrive("c", "::ffff:10.0.0.1")).toEqual({
      code: "TOO_MANY_FROM_ADDRESS",
      detail: "2 connections from ::ffff:10.0.0.1 are open: the bound maxConnectionsPerAddress",
    });
    accepted("d", "10.0.0.2");
    bounds.remove(first);
    accepted("e", "10.0.0.1");
  });

  test("an idle connection of the same address makes room, not an older one of another", () => {
    start({ maxConnectionsPerAddress: 1 });
    accepted("old", "10.0.0.1");
    accepted("a", "10.0.0.2");
    now += EVICTION_AGE_MS;
    accepted("b", "10.0.0.2");
    expect(evicted).toEqual(["a"]);
  });

  test("by default, one address may have all but an eighth of the connections", () => {
    start({ maxConnections: 16 });
    for (let count = 0; count < 14; count++) accepted(`a${count}`, "10.0.0.1");
    expect(arrive("more", "10.0.0.1")).toEqual({
      code: "TOO_MANY_FROM_ADDRESS",
      detail: "14 connections from 10.0.0.1 are open: all but an eighth of 16: the bound maxConnections",
    });
    accepted("b", "10.0.0.2");
    accepted("c", "10.0.0.3");
    expect(arrive("d", "10.0.0.4")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
  });

  test("connections without an address, as over ipc, do not count", () => {
    start({ maxConnections: 16 });
    for (let count = 0; count < 16; count++) accepted(`${count}`);
    expect(arrive("more")).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
  });
});

describe("the limit of file descriptors", () => {
  test("lowers the bound of connections, and the rejection names the cause and the fix", () => {
    start({}, 256);
    for (let count = 0; count < 192; count++) accepted(`${count}`);
    expect(arrive("more")).toEqual({
      code: "TOO_MANY_CONNECTIONS",
      detail:
        "192 connections are open: this process may open 256 files; raise the limit (ulimit -n), or lower maxConnections",
    });
  });

  test.each([
    [1024, 960],
    [256, 224],
    [8, 7],
  ])(
    "of %i keeps those from %i on: a connection that gets one is rejected, and an idle one makes room",
    (limit, first) => {
      start({}, limit);
      accepted("idle");
      now += EVICTION_AGE_MS;
      expect(arrive("more", undefined, first)).toEqual({
        code: "OUT_OF_DESCRIPTORS",
        detail: `descriptor ${first} is one of the last: this process may open ${limit} files; raise the limit (ulimit -n), or lower maxConnections`,
      });
      expect(evicted).toEqual(["idle"]);
      expect(arrive("again", undefined, first - 1)).toMatchObject({ name: "again" });
    },
  );
});

describe("idleConnectionMs", () => {
  test("ends connections that never sent a message, in the order of their age", () => {
    start({ idleConnectionMs: 100 });
    expect(bounds.nextExpiry).toBeUndefined();
    accepted("a");
    now += 10;
    accepted("used").hasSent = true;
    accepted("slow").isReceiving = true;
    now += 10;
    accepted("b");
    expect(bounds.nextExpiry).toBe(1_100);
    now = 1_099;
    expect(bounds.expire(now)).toEqual([]);
    now = 1_115;
    expect(bounds.expire(now)).toMatchObject([{ name: "a" }]);
    expect(bounds.nextExpiry).toBe(1_120);
    now = 1_120;
    expect(bounds.expire(now)).toMatchObject([{ name: "b" }]);
    expect(bounds.nextExpiry).toBe(1_215);
  });

  test("makes room for others at once", () => {
    start({ maxConnections: 1, idleConnectionMs: 100 });
    accepted("a");
    now += 100;
    expect(bounds.expire(now)).toHaveLength(1);
    accepted("b");
  });

  test("of 0 ends none", () => {
    start({ idleConnectionMs: 0 });
    accepted("a");
    now += 1e12;
    expect(bounds.nextExpiry).toBeUndefined();
    expect(bounds.expire(now)).toEqual([]);
  });
});

test.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80::1%eth0"],
])("the address %s counts as %s", (host, group) => {
  expect(addressGroup(host)).toBe(group);
});

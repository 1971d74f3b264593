// Routers and dealers with PLAIN, and routers that authenticate peers with NULL, against peers of any make.

import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConnectionRejection, LinkLimits } from "../link.ts";
import type { AuthRequest } from "../security/auth-request.ts";
import { PeerSecurity, ServerSecurity } from "../security/link-security.ts";
import { MAX_RUNNING_CALLS } from "../zap/authenticator.ts";
import { ZmtpDealer } from "./dealer.ts";
import { ZmtpPublisher } from "./publisher.ts";
import { ZmtpRouter } from "./router.ts";
import { ZmtpSubscriber } from "./subscriber.ts";
import {
  encodeCommand,
  encoded,
  encodeError,
  encodeGreeting,
  encodeHello,
  encodeInitiate,
  encodeOurDealer,
  encodePing,
  encodeReady,
} from "./testing/encoded.ts";
import { RawListener, RawPeer } from "./testing/raw-peer.ts";
import { COMMAND, encodeFrame } from "./wire.ts";

const HELLO = encodeHello("ada", "lovelace");
const INITIATE = encodeInitiate("DEALER", "d");
const WELCOME = encodeCommand("WELCOME");
const MESSAGE = encoded([[Buffer.from("hello")]]);
const PLAIN = new PeerSecurity({ plain: { username: "ada", password: "lovelace" } });

let closers: (() => unknown)[] = [];
let requests: AuthRequest[] = [];
let rejections: ConnectionRejection[] = [];
let messages: string[] = [];
let ups: string[] = [];
let downs: string[] = [];
let onChange = () => {};

beforeEach(() => {
  [closers, requests, rejections, messages, ups, downs] = [[], [], [], [], [], []];
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
});

type Authenticate = (request: AuthRequest) => boolean | Promise<boolean>;
const isAda: Authenticate = (request) => request.mechanism === "PLAIN" && request.password === "lovelace";

interface RouterSetup {
  readonly mechanism?: "PLAIN" | "NULL";
  readonly authenticate?: Authenticate;
  readonly timeoutMs?: number;
  readonly limits?: Partial<LinkLimits>;
}

async function bindRouter(setup: RouterSetup = {}): Promise<{ router: ZmtpRouter; address: string }> {
  const { mechanism = "PLAIN", authenticate = isAda, timeoutMs = 10_000, limits = {} } = setup;
  const security = new ServerSecurity(mechanism, {
    domain: "shop",
    authenticate: (request) => {
      requests.push(request);
      changed();
      return authenticate(request);
    },
    timeoutMs,
  });
  const router = new ZmtpRouter(
    {
      onMessage: (peer, frames) => {
        messages.push(`${peer}: ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`);
        changed();
        router.send(peer, frames);
      },
      onPeerUp: (peer) => {
        ups.push(peer);
        changed();
      },
      onPeerDown: (peer) => {
        downs.push(peer);
        changed();
      },
      onRejected: (rejection) => {
        rejections.push(rejection);
        changed();
      },
    },
    { security, limits },
  );
  closers.push(() => router.close(0));
  return { router, address: await router.bind("tcp://127.0.0.1:*") };
}

function changed(): void {
  onChange();
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      onChange = resolve;
    });
  }
}

/** No connection of a busy machine waits so long. */
const PATIENT_MS = 600_000;

async function rawPeer(address: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  closers.push(() => peer.socket.destroy());
  return peer;
}

function dealer(address: string, security?: PeerSecurity): { link: ZmtpDealer; reports: string[] } {
  const reports: string[] = [];
  const report = (text: string) => {
    reports.push(text);
    changed();
  };
  const link = new ZmtpDealer(
    {
      onMessage: (frames) => report(`message ${frames.map((frame) => Buffer.from(frame).toString()).join("|")}`),
      onUp: () => report("up"),
      onRejected: ({ code, detail }) => report(`${code} ${detail}`),
    },
    { routingId: "d", reconnectMs: 1, reconnectMaxMs: 5, security },
  );
  closers.push(() => link.close(0));
  link.connect(address);
  return { link, reports };
}

describe("a router with PLAIN", () => {
  test("accepts our dealer with the right password", async () => {
    const { address } = await bindRouter();
    const { link, reports } = dealer(address, PLAIN);
    link.send([Buffer.from("hello")]);
    await until(() => reports.includes("message hello"));
    const origin = { domain: "shop", address: "127.0.0.1" };
    expect(requests).toEqual([{ mechanism: "PLAIN", ...origin, username: "ada", password: "lovelace" }]);
    expect([reports, messages, rejections]).toEqual([["up", "message hello"], ["d: hello"], []]);
  });

  test("rejects our dealer with another password, and reports no credentials", async () => {
    const { address } = await bindRouter();
    const { link, reports } = dealer(address, new PeerSecurity({ plain: { username: "ada", password: "byron" } }));
    link.send([Buffer.from("hello")]);
    await until(() => reports.length > 0 && rejections.length > 0);
    expect(reports[0]).toBe("DENIED authentication rejected: mechanism PLAIN");
    expect(rejections[0]).toMatchObject({ code: "DENIED", detail: "authenticate returned false", mechanism: "PLAIN" });
    expect(rejections[0]?.remoteAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(JSON.stringify(rejections)).not.toMatch(/ada|byron/);
    expect([messages, ups]).toEqual([[], []]);
  });

  test("rejects our dealer without PLAIN", async () => {
    const { address } = await bindRouter();
    const { reports } = dealer(address);
    await until(() => reports.length > 0 && rejections.length > 0);
    expect(rejections[0]).toMatchObject({ code: "INCOMPATIBLE", detail: 'the peer uses mechanism "NULL", not PLAIN' });
    expect([requests, ups]).toEqual([[], []]);
  });

  test("has the as-server bit in its greeting", async () => {
    const { address } = await bindRouter();
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN"), HELLO);
    await peer.expect(WELCOME);
    expect([...peer.received.subarray(12, 17)].map((byte) => String.fromCharCode(byte)).join("")).toBe("PLAIN");
    expect(peer.received[32]).toBe(1);
  });

  test("reads a handshake in any pieces, and messages behind it", async () => {
    const { address } = await bindRouter();
    const peer = await rawPeer(address);
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.concat([encodeGreeting("PLAIN"), HELLO])) {
      peer.write(Uint8Array.of(byte));
      await new Promise<void>((resolve) => peer.socket.write("", () => resolve()));
    }
    await peer.expect(WELCOME);
    peer.write(INITIATE, MESSAGE, MESSAGE);
    await until(() => messages.length === 2);
    expect([messages, ups]).toEqual([["d: hello", "d: hello"], ["d"]]);
  });

  test("reads nothing behind HELLO before authenticate has returned", async () => {
    let decide = (_isAuthorized: boolean) => {};
    const decision = new Promise<boolean>((resolve) => {
      decide = resolve;
    });
    const { address } = await bindRouter({ authenticate: () => (requests.length === 1 ? decision : true) });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN"), HELLO, encodeInitiate("DEALER", "first"), MESSAGE);
    await until(() => requests.length === 1);
    // More than the kernel's buffers hold.
    let isFlooded = false;
    peer.socket.write(encoded([[Buffer.alloc(16 * 1024 * 1024)]]), () => {
      isFlooded = true;
    });
    const { link, reports } = dealer(address, PLAIN);
    for (let round = 1; round <= 100; round++) {
      link.send([Buffer.from("meanwhile")]);
      await until(() => reports.length === round + 1);
    }
    expect([isFlooded, ups]).toEqual([false, ["d"]]);
    expect(messages.filter((text) => text.startsWith("first"))).toEqual([]);
    decide(true);
    await until(() => messages.includes("first: hello"));
    expect(ups).toEqual(["d", "first"]);
  });

  test.each<[string, string, () => Uint8Array[]]>([
    ["INITIATE before HELLO", "PROTOCOL", () => [INITIATE]],
    ["READY", "PROTOCOL", () => [encodeReady("DEALER", "d")]],
    ["HELLO twice", "PROTOCOL", () => [HELLO, HELLO]],
    ["HELLO with trailing bytes", "PROTOCOL", () => [encodeCommand("HELLO", "\u0003ada\u0007lovelace")]],
    ["an empty HELLO", "PROTOCOL", () => [encodeCommand("HELLO")]],
    ["an unknown command", "PROTOCOL", () => [encodeCommand("GOODBYE", "now")]],
    ["a command without a name", "PROTOCOL", () => [Uint8Array.of(4, 0)]],
    ["PING", "PROTOCOL", () => [encodePing(100)]],
    ["a message", "PROTOCOL", () => [MESSAGE]],
    ["a message after HELLO", "PROTOCOL", () => [HELLO, MESSAGE]],
    ["ERROR", "REFUSED", () => [encodeError("no")]],
    ["an ERROR that is cut short", "REFUSED", () => [encodeCommand("ERROR", "\u00ff")]],
    ["a command of 16 KiB and a byte", "FRAME_TOO_LARGE", () => [Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0x40, 1)]],
    ["a command with the flag MORE", "PROTOCOL", () => [Uint8Array.of(5, 0)]],
    [
      "a truncated property",
      "PROTOCOL",
      () => [HELLO, encodeCommand("INITIATE", "\u000bSocket-Type\0\0\0\u00ffDEALER")],
    ],
    ["metadata without a socket type", "INCOMPATIBLE", () => [HELLO, encodeCommand("INITIATE")]],
    ["the socket type PUB", "INCOMPATIBLE", () => [HELLO, encodeInitiate("PUB", "")]],
    ["a routing id of 256 bytes", "ROUTING_ID", () => [HELLO, encodeInitiate("DEALER", "x".repeat(256))]],
    ["a routing id that starts with zero", "ROUTING_ID", () => [HELLO, encodeInitiate("DEALER", "\0id")]],
  ])("disconnects a peer that sends %s (%s), and no other", async (_what, code, pieces) => {
    const { address } = await bindRouter();
    const bad = await rawPeer(address);
    bad.write(encodeGreeting("PLAIN"), ...pieces());
    await bad.closed;
    await until(() => rejections.length > 0);
    expect(rejections.map((rejection) => rejection.code)).toEqual([code]);
    expect([ups, messages]).toEqual([[], []]);
    const { link, reports } = dealer(address, PLAIN);
    link.send([Buffer.from("hello")]);
    await until(() => reports.includes("message hello"));
  });

  test("sends ERROR 400 to a denied peer, and no WELCOME", async () => {
    const { address } = await bindRouter({ authenticate: () => false });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN"), HELLO);
    await peer.closed;
    expect(peer.received.subarray(64)).toEqual(encodeError("400"));
  });

  test.each<[string, Authenticate, string]>([
    ["throws", () => JSON.parse("{"), "authenticate failed"],
    ["rejects", () => Promise.reject(new Error("gone")), "authenticate failed"],
    ["returns nothing", () => JSON.parse("null"), "authenticate failed"],
    ["never returns", () => new Promise(() => {}), "authenticate timed out"],
  ])("sends ERROR 500 when authenticate %s", async (_what, authenticate, detail) => {
    const { address } = await bindRouter({ authenticate, timeoutMs: 20 });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN"), HELLO);
    await peer.closed;
    expect(peer.received.subarray(64)).toEqual(encodeError("500"));
    await until(() => rejections.length > 0);
    expect(rejections).toMatchObject([{ code: "UNDECIDED", detail, mechanism: "PLAIN" }]);
  });

  test("disconnects a peer without ERROR when too many calls are in progress, so that it tries again", async () => {
    const calls: ((isAuthorized: boolean) => void)[] = [];
    const { address } = await bindRouter({
      authenticate: () => new Promise((resolve) => calls.push(resolve)),
      timeoutMs: PATIENT_MS,
      limits: { handshakeTimeoutMs: PATIENT_MS },
    });
    const waiting: RawPeer[] = [];
    // The kernel lets few connections wait. It drops others, whose ends try again after seconds.
    while (waiting.length < MAX_RUNNING_CALLS) {
      waiting.push(...(await Promise.all(Array.from({ length: 100 }, () => rawPeer(address)))));
    }
    for (const peer of waiting) peer.write(encodeGreeting("PLAIN"), HELLO);
    await until(() => calls.length === MAX_RUNNING_CALLS);
    const { reports } = dealer(address, PLAIN);
    await until(() => rejections.length > 0);
    expect(rejections[0]).toMatchObject({ code: "UNDECIDED", detail: "1000 calls of authenticate are in progress" });
    calls[0]?.(false);
    await until(() => calls.length > MAX_RUNNING_CALLS);
    calls.at(-1)?.(true);
    await until(() => reports.includes("up"));
    // libzmq would not try again after an ERROR.
    expect(reports).toEqual(["up"]);
  });

  test("forgets a peer that left while authenticate ran", async () => {
    let decide = (_isAuthorized: boolean) => {};
    const { router, address } = await bindRouter({
      authenticate: () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN"), HELLO, INITIATE);
    await until(() => requests.length === 1);
    peer.socket.resetAndDestroy();
    await peer.closed;
    decide(true);
    // A paused socket notices the end only when it is read again.
    await until(() => downs.length === ups.length && ups.length > 0);
    expect([downs, router.has("d")]).toEqual([["d"], false]);
  });

  test("limits the time of a handshake, also between HELLO and INITIATE", async () => {
    const { address } = await bindRouter({ limits: { handshakeTimeoutMs: 30 } });
    const silent = await rawPeer(address);
    silent.write(encodeGreeting("PLAIN"));
    const slow = await rawPeer(address);
    slow.write(encodeGreeting("PLAIN"), HELLO);
    await Promise.all([silent.closed, slow.closed]);
    await until(() => rejections.length === 2);
    expect(rejections.map(({ code }) => code)).toEqual(["HANDSHAKE_TIMEOUT", "HANDSHAKE_TIMEOUT"]);
  });

  test("reports a peer that closes the connection during the handshake", async () => {
    const { address } = await bindRouter();
    const peer = await rawPeer(address);
    peer.write(encodeGreeting("PLAIN").subarray(0, 11));
    await peer.expect(Buffer.alloc(0));
    peer.socket.destroy();
    await until(() => rejections.length > 0);
    expect(rejections).toMatchObject([{ code: "HANDSHAKE_FAILED", mechanism: "PLAIN" }]);
  });

  test("keeps a routing id for its owner", async () => {
    const { address } = await bindRouter();
    const { reports } = dealer(address, PLAIN);
    await until(() => reports.includes("up"));
    const thief = await rawPeer(address);
    thief.write(encodeGreeting("PLAIN"), HELLO, INITIATE);
    await thief.closed;
    await until(() => rejections.length > 0);
    expect(rejections).toMatchObject([{ code: "ROUTING_ID" }]);
    expect(thief.received.subarray(64)).toEqual(WELCOME);
  });
});

describe("a router with NULL that authenticates", () => {
  test("authenticates a peer by its address, before it accepts it", async () => {
    const { address } = await bindRouter({
      mechanism: "NULL",
      authenticate: async (peer) => peer.address === "127.0.0.1",
    });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting(), encodeReady("DEALER", "d"), MESSAGE);
    await until(() => messages.length > 0);
    expect(requests).toEqual([{ mechanism: "NULL", domain: "shop", address: "127.0.0.1" }]);
    expect([ups, messages]).toEqual([["d"], ["d: hello"]]);
  });

  test("rejects a denied peer with ERROR 400, and reads none of its messages", async () => {
    const { address } = await bindRouter({ mechanism: "NULL", authenticate: () => false });
    const { link, reports } = dealer(address);
    link.send([Buffer.from("hello")]);
    await until(() => reports.length > 0 && rejections.length > 0);
    expect(reports[0]).toBe("DENIED authentication rejected: mechanism NULL");
    expect(rejections[0]).toMatchObject({ code: "DENIED", mechanism: "NULL" });
    const peer = await rawPeer(address);
    peer.write(encodeGreeting(), encodeReady("DEALER", "x"), MESSAGE);
    await peer.closed;
    expect(peer.received.subarray(64)).toEqual(encodeError("400"));
    expect([ups, messages]).toEqual([[], []]);
  });
});

describe("a dealer with PLAIN", () => {
  test("sends its password only to a router with PLAIN", async () => {
    const listener = new RawListener();
    closers.push(() => listener.close());
    dealer(await listener.listen(), PLAIN);
    const router = await listener.next();
    router.write(encodeGreeting("NULL"));
    await router.closed;
    expect(router.received.includes("lovelace")).toBe(false);
  });

  test.each<[string, string, () => Uint8Array[]]>([
    ["READY before WELCOME", "PROTOCOL", () => [encodeReady("ROUTER", "")]],
    ["WELCOME with data", "PROTOCOL", () => [encodeCommand("WELCOME", "x")]],
    ["WELCOME twice", "PROTOCOL", () => [WELCOME, WELCOME]],
    ["HELLO", "PROTOCOL", () => [HELLO]],
    ["an unknown command", "PROTOCOL", () => [encodeCommand("GOODBYE")]],
    ["a message", "PROTOCOL", () => [WELCOME, MESSAGE]],
    ["metadata of a subscriber", "INCOMPATIBLE", () => [WELCOME, encodeReady("SUB", "")]],
    ["a truncated property", "PROTOCOL", () => [WELCOME, encodeCommand("READY", "\u0001x\0\0")]],
    ["ERROR 400", "DENIED", () => [encodeError("400")]],
    ["ERROR 300", "UNDECIDED", () => [encodeError("300")]],
    ["ERROR 500", "UNDECIDED", () => [encodeError("500")]],
    ["ERROR 400 as libzmq 4.3 writes it", "DENIED", () => [encodeFrame(COMMAND, Buffer.from("^RROR\u0003400"))]],
    ["another ERROR", "REFUSED", () => [WELCOME, encodeError("full\n")]],
  ])("reports a router that sends %s (%s), and connects to the next one", async (_what, code, pieces) => {
    const listener = new RawListener();
    closers.push(() => listener.close());
    const { link, reports } = dealer(await listener.listen(), PLAIN);
    link.send([Buffer.from("hello")]);
    const bad = await listener.next();
    bad.write(encodeGreeting("PLAIN"), ...pieces());
    await bad.closed;
    const good = await listener.next();
    good.write(encodeGreeting("PLAIN"));
    await good.expect(HELLO);
    good.write(WELCOME);
    await good.expect(encodeOurDealer("INITIATE", "d"));
    good.write(encodeReady("ROUTER", ""));
    await good.expect(MESSAGE);
    expect(reports.map((text) => text.split(" ")[0])).toEqual([code, "up"]);
    expect(reports[0]).not.toContain("\n");
  });
});

test("a publisher with PLAIN publishes to authenticated subscribers only", async () => {
  const security = new ServerSecurity("PLAIN", { domain: "publisher", authenticate: isAda, timeoutMs: 1000 });
  const rejected: ConnectionRejection[] = [];
  const publisher = new ZmtpPublisher({ onRejected: (rejection) => rejected.push(rejection) }, { security });
  closers.push(() => publisher.close());
  const address = await publisher.bind("tcp://127.0.0.1:*");
  publisher.publish([Buffer.from("state 1")]);
  const received = await new Promise<string>((resolve) => {
    const subscriber = new ZmtpSubscriber(
      { onMessage: ([frame]) => resolve(Buffer.from(frame ?? []).toString()) },
      { security: PLAIN },
    );
    closers.push(() => subscriber.close());
    subscriber.subscribe("state");
    subscriber.connect(address);
  });
  expect(received).toBe("state 1");
  const unknown = await rawPeer(address);
  unknown.write(encodeGreeting("PLAIN"), encodeHello("ada", "byron"));
  await once(unknown.socket, "close");
  expect(unknown.received.subarray(64)).toEqual(encodeError("400"));
});

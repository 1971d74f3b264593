// Peers that are not ours, on the libzmq of Debian and on the package `zeromq`, at a broker with keys of CURVE. Every dialect
// travels in it, because CURVE is below them all.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Dealer, type SocketOptions } from "zeromq";
import { DIALECTS } from "../dialects/peers.ts";
import { pythonClient, pythonWorker } from "../dialects/python.ts";
import { LOOPBACK, type RunningBroker, startBroker } from "../support/start.ts";
import { Keys, MISMATCH, startEcho } from "./keys.ts";

const keys = new Keys();
let guarded: RunningBroker;

beforeEach(async () => {
  const where = [
    LOOPBACK,
    { address: LOOPBACK, dialect: "omdp" as const },
    { address: LOOPBACK, dialect: "butler" as const },
  ];
  guarded = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
});

describe.skipIf(foreignPeers.python.isMissing)("peers in Python with CURVE", () => {
  test.each(DIALECTS)("in the dialect %s serve each other", async (dialect) => {
    const [address = "", omdp = "", butler = ""] = guarded.broker.addresses;
    const own = dialect === "omdp" ? omdp : dialect === "butler" ? butler : address;
    const joined = new Promise((resolve) => guarded.broker.once("worker:join", resolve));
    const server = pythonWorker(dialect, own, "echo", keys.python(keys.worker));
    onTestFinished(() => server.close());
    // A client of butler does not wait for a worker that is yet to come.
    await joined;
    const client = pythonClient(dialect, own, keys.python(keys.client));
    onTestFinished(() => client.close());
    await client.request("echo", '"hello"');
    const job = await server.next();
    expect(job.body).toEqual(['"hello"']);
    await job.reply("final", '"and back"');
    expect(await client.receive()).toEqual({ kind: "final", body: ['"and back"'] });
    expect(guarded.rejections.items).toEqual([]);
  });

  test.each([
    { who: "with a key that the broker does not know", security: keys.python(keys.unknown), codes: ["DENIED"] },
    {
      who: "that expects another broker",
      security: keys.python(keys.client, keys.unknown.publicKey),
      codes: ["HANDSHAKE_FAILED"],
    },
    { who: "without CURVE", security: {}, codes: MISMATCH },
    { who: "with PLAIN", security: { plain_username: "ada", plain_password: "x" }, codes: MISMATCH },
  ])("a client and a worker $who are denied, and the others continue", async ({ security, codes }) => {
    const { address, rejections, broker } = guarded;
    const joined: string[] = [];
    broker.on("worker:join", ({ service }) => joined.push(service));
    broker.on("client:join", ({ client }) => joined.push(client));
    const server = pythonWorker("pigato", address, "secrets", security);
    onTestFinished(() => server.close());
    const reported = { code: expect.toBeOneOf([...codes]), listener: "bind", mechanism: "CURVE" };
    expect(await rejections.take()).toMatchObject(reported);
    const client = pythonClient("pigato", address, security);
    onTestFinished(() => client.close());
    await client.request("echo", '"let me in"');
    expect(await rejections.take()).toMatchObject(reported);

    const asked = await startEcho(address, { curve: keys.curve(keys.worker) });
    const friend = pythonClient("pigato", address, keys.python(keys.client));
    onTestFinished(() => friend.close());
    await friend.request("echo", '"of a friend"');
    expect(await friend.receive()).toEqual({ kind: "final", body: ['"of a friend"'] });
    expect(asked).toEqual(["of a friend"]);
    expect(joined).toEqual(["echo", expect.any(String)]);
  });
});

describe("sockets of the package zeromq", () => {
  test("with a key that the broker knows are served", async () => {
    const socket = dealer(keys.raw(keys.client));
    await socket.send(["C", "4"]);
    const [tag] = await socket.receive();
    expect(String(tag)).toBe("C");
  });

  test("with any other key are rejected, and their messages are not read", async () => {
    const socket = dealer(keys.raw(keys.unknown));
    const sent = socket.send(["C", "4"]);
    expect(await guarded.rejections.take()).toMatchObject({ code: "DENIED", remoteAddress: "127.0.0.1" });
    socket.close();
    await sent.catch(() => {});
    expect(guarded.broker.stats()).toMatchObject({ clients: 0 });
  });
});

function dealer(security: SocketOptions<Dealer>): Dealer {
  const socket = new Dealer({ linger: 0, ...security });
  onTestFinished(() => socket.close());
  socket.connect(guarded.address);
  return socket;
}

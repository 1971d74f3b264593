// The ZAP handler on its wire: requests as libzmq makes them, from a socket of this process.

import { Broker } from "@pigato/broker";
import { libzmq, ServerSecurity } from "@pigato/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dealer, Reply, Request, Router } from "zeromq";
import { LOOPBACK, startBroker } from "../support/start.ts";
import { Keys, startEcho } from "./keys.ts";

const ZAP = "inproc://zeromq.zap.01";
const keys = new Keys();

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
/** The same as Z85 text. */
const KEY_TEXT = "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x";

describe("a request of ZAP", () => {
  test("F1–F6: is answered with its version, its id, a code, and for an authorized peer a user id", async () => {
    const asked: unknown[] = [];
    await startBroker({
      curve: keys.server,
      zapDomain: "shop",
      authenticate: (peer) => {
        asked.push(peer);
        return true;
      },
    });
    const reply = await ask("1.0", Buffer.from([0, 255, 1]), "shop/bind", "10.1.2.3", "", "CURVE", KEY);
    expect(reply.map((frame) => frame.toString("latin1"))).toEqual(["1.0", "\0\xff\x01", "200", "OK", KEY_TEXT, ""]);
    expect(asked).toEqual([
      { mechanism: "CURVE", domain: "shop", listener: "bind", address: "10.1.2.3", publicKey: KEY_TEXT },
    ]);
  });

  test.each([
    { what: "of a peer that is denied", authenticate: () => false, code: "400" },
    {
      what: "that cannot be judged",
      authenticate: () => {
        throw new Error("secret");
      },
      code: "500",
    },
    { what: "that is not judged in time", authenticate: () => new Promise<boolean>(() => {}), code: "500" },
  ])("F5: $what has neither a user id nor metadata", async ({ authenticate, code }) => {
    await startBroker({ plain: true, zapDomain: "shop", authenticate, authenticateTimeoutMs: 20 });
    const reply = await ask("1.0", "7", "shop/bind", "10.1.2.3", "", "PLAIN", "ada", "secret");
    expect(reply.map(String)).toEqual(["1.0", "7", code, expect.stringMatching(/^[ -~]+$/), "", ""]);
    expect(String(reply[3])).not.toContain("secret");
  });

  test.each([
    { what: "for an unknown domain", frames: ["other", "::1", "", "PLAIN", "ada", "x"], code: "400" },
    { what: "without a domain", frames: ["", "::1", "", "PLAIN", "ada", "x"], code: "400" },
    { what: "with less than is asked for", frames: ["shop/bind", "::1", "", "NULL"], code: "400" },
    { what: "with an unknown mechanism", frames: ["shop/bind", "::1", "", "GSSAPI", "ada"], code: "500" },
    { what: "with too few credentials", frames: ["shop/bind", "::1", "", "PLAIN", "ada"], code: "500" },
    { what: "with too many", frames: ["shop/bind", "::1", "", "PLAIN", "ada", "x", "y"], code: "500" },
    { what: "with too long a name", frames: ["shop/bind", "::1", "", "PLAIN", "a".repeat(256), "x"], code: "500" },
    { what: "that ends too soon", frames: ["shop/bind"], code: "500" },
  ])("$what is answered with $code, and authenticate is not called", async ({ frames, code }) => {
    let count = 0;
    await startBroker({
      plain: true,
      zapDomain: "shop",
      authenticate: () => {
        count += 1;
        return true;
      },
    });
    expect((await ask("1.0", "7", ...frames)).map(String)).toEqual(["1.0", "7", code, expect.any(String), "", ""]);
    expect(count).toBe(0);
  });

  test("of another version gets a reply of our version with status 500", async () => {
    await startBroker({ plain: true, zapDomain: "shop", authenticate: () => true });
    const reply = await ask("2.0", "7", "shop/bind", "::1", "", "PLAIN", "ada", "x");
    expect(reply.map(String)).toEqual(["1.0", "7", "500", expect.any(String), "", ""]);
  });

  test("F7: gets a reply with its whole envelope, and is dropped without one", async () => {
    await startBroker({ plain: true, zapDomain: "shop", authenticate: () => true });
    const proxy = new Dealer({ linger: 0 });
    onTestFinished(() => proxy.close());
    proxy.connect(ZAP);
    await proxy.send(["1.0"]);
    await proxy.send(["no delimiter", "1.0", "6"]);
    await proxy.send(["first", "second", "", "1.0", "7", "shop/bind", "::1", "", "PLAIN", "ada", "x"]);
    expect((await proxy.receive()).map(String)).toEqual(["first", "second", "", "1.0", "7", "200", "OK", "ada", ""]);
  });

  test("counts toward a bound of 1000; the next peer gets status 300 until one has ended", async () => {
    const answers: ((word: boolean) => void)[] = [];
    await startBroker({
      plain: true,
      zapDomain: "shop",
      authenticate: () => new Promise<boolean>((resolve) => answers.push(resolve)),
    });
    const client = new Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    onTestFinished(() => client.close());
    client.connect(ZAP);
    const request = (id: string) => client.send(["", "1.0", id, "shop/bind", "::1", "", "PLAIN", "ada", "x"]);
    for (let id = 1; id <= 1001; id += 1) await request(String(id));
    expect((await client.receive()).map(String).slice(1, 4)).toEqual(["1.0", "1001", "300"]);
    expect(answers).toHaveLength(1000);
    answers[0]?.(true);
    expect((await client.receive()).map(String).slice(1, 4)).toEqual(["1.0", "1", "200"]);
    const last = request("1002");
    while (answers.length === 1000) await new Promise(setImmediate);
    await last;
    answers.at(-1)?.(false);
    expect((await client.receive()).map(String).slice(1, 4)).toEqual(["1.0", "1002", "400"]);
  });
});

describe("the ZAP handler", () => {
  test("serves all brokers of the process and asks each about its own peers", async () => {
    const reported: string[] = [];
    const check = (name: string) => () => {
      reported.push(name);
      return true;
    };
    await startBroker({ plain: true, zapDomain: "north", authenticate: check("north") });
    const south = await startBroker({ plain: true, zapDomain: "south", authenticate: check("south") });
    const code = async (domain: string) => String((await ask("1.0", "1", domain, "::1", "", "PLAIN", "a", "b"))[2]);
    expect([await code("south/bind"), await code("north/bind")]).toEqual(["200", "200"]);
    expect(reported).toEqual(["south", "north"]);
    await south.broker.stop();
    expect([await code("south/bind"), await code("north/bind")]).toEqual(["400", "200"]);
  });

  test("closes with the last broker that needs it, and can be opened again", async () => {
    const { broker } = await startBroker({ authenticate: () => true });
    await broker.stop();
    const other = new Router();
    other.bindSync(ZAP);
    await expect(broker.start()).rejects.toThrow("this process has another ZAP handler");
    // To libzmq, to disconnect is to unbind.
    other.disconnect(ZAP);
    other.close();
    await broker.start();
    await startEcho(broker.addresses[0] ?? "", {});
  });

  test("prevents a start if another socket has its address, but only of a broker that needs it", async () => {
    const other = new Router({ linger: 0 });
    other.bindSync(ZAP);
    onTestFinished(() => {
      other.disconnect(ZAP);
      other.close();
    });
    const broker = new Broker(LOOPBACK, { curve: keys.server, authenticate: () => true });
    await expect(broker.start()).rejects.toMatchObject({ name: "LinkError", code: "ADDRESS_IN_USE", address: ZAP });
    expect(broker.addresses).toEqual([]);
    const { address } = await startBroker({ curve: keys.server });
    await startEcho(address, { curve: keys.curve(keys.worker) });
  });

  test("accepts a domain once: a second broker with the same domain does not start", async () => {
    await startBroker({ authenticate: () => true, zapDomain: "shop" });
    const second = new Broker(LOOPBACK, { authenticate: () => true, zapDomain: "shop" });
    await expect(second.start()).rejects.toThrow('the ZAP domain "shop/bind" is in use in this process');
  });

  test("also serves a router without a broker", async () => {
    const security = new ServerSecurity("PLAIN", { domain: "bare", authenticate: () => false, timeoutMs: 1000 });
    const denied = new Promise((resolve) => {
      const router = libzmq.router({ onMessage() {}, onRejected: resolve }, { security });
      onTestFinished(() => router.close(0));
      void router.bind(LOOPBACK).then((address) => {
        const peer = new Dealer({ linger: 0, plainUsername: "a", plainPassword: "b" });
        onTestFinished(() => peer.close());
        peer.connect(address);
      });
    });
    expect(await denied).toMatchObject({ code: "DENIED", mechanism: "PLAIN" });
  });
});

/** Sends as a REQ socket does, without its envelope in the reply. */
async function ask(...frames: (string | Buffer)[]): Promise<Buffer[]> {
  const socket = new Request({ linger: 0 });
  onTestFinished(() => socket.close());
  socket.connect(ZAP);
  await socket.send(frames);
  return socket.receive();
}

test("libzmq does not say in a request of ZAP, or with a message, whose connection it is", async () => {
  const asked: string[][] = [];
  const handler = new Reply();
  const listener = new Router({
    routingId: "the listener",
    zapDomain: "shop",
    curveServer: true,
    curveSecretKey: keys.server.secretKey,
  });
  const peer = new Dealer({ routingId: "the peer", ...keys.raw(keys.client) });
  onTestFinished(() => {
    for (const socket of [handler, listener, peer]) socket.close();
  });
  await handler.bind(ZAP);
  await listener.bind("tcp://127.0.0.1:*");
  peer.connect(listener.lastEndpoint ?? "");
  await peer.send("hello");
  const [version = "", id = "", ...frames] = await handler.receive();
  asked.push(frames.map((frame) => frame.toString("latin1")));
  await handler.send([version, id, "200", "OK", "ada", ""]);
  const message = await listener.receive();
  // RFC 27 has the identity of the connection here, and it is that of the listener.
  expect(asked).toEqual([["shop", "127.0.0.1", "the listener", "CURVE", expect.any(String)]]);
  expect(message.map(String)).toEqual(["the peer", "hello"]);
  expect(message.flatMap((frame) => Object.keys(frame).filter((name) => !/^\d+$/.test(name)))).toEqual([]);
});

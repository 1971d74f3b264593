// A broker with CURVE keys authorizes the peers that it knows, and no others, whatever those send.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientOptions } from "@pigato/client";
import { LinkError, newCurveKeyPair } from "@pigato/transport";
import { Worker } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { LOOPBACK, startBroker } from "../support/start.ts";
import { Keys, MISMATCH, startEcho } from "./keys.ts";

const keys = new Keys();
const folder = mkdtempSync(join(tmpdir(), "pigato-curve-"));

describe.each([
  { kind: "tcp", where: LOOPBACK },
  { kind: "ipc", where: `ipc://${folder}/broker.sock` },
])("over $kind, with CURVE", ({ where }) => {
  test("clients and workers that the broker knows serve each other", async () => {
    const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
    await startEcho(address, { curve: keys.curve(keys.worker) });
    await using client = new Client(address, { curve: keys.curve(keys.client) });
    await client.start();
    expect(await client.call("echo", { secret: "x".repeat(100_000) })).toEqual({ secret: "x".repeat(100_000) });
    expect(rejections.items).toEqual([]);
  });

  test("the start of a client with another key is rejected", async () => {
    const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
    const client = new Client(address, { curve: keys.curve(keys.unknown) });
    const errors: Error[] = [];
    client.on("error", (error) => errors.push(error));
    await expect(client.start()).rejects.toThrow(
      `connection to ${address} rejected: DENIED, authentication rejected: mechanism CURVE`,
    );
    expect(errors).toMatchObject([{ name: "LinkError", code: "REFUSED", address }]);
    expect(await rejections.take()).toMatchObject({
      listener: "bind",
      code: "DENIED",
      mechanism: "CURVE",
      detail: "authenticate returned false",
      remoteAddress: where === LOOPBACK ? "127.0.0.1" : expect.stringMatching(/^localhost:\d+:\d+:\d+$/),
    });
    await client.stop();
  });

  test("the start of a worker with another key is rejected", async () => {
    const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
    const worker = new Worker(address, "echo", { curve: keys.curve(keys.unknown) });
    const failed = worker.start();
    await expect(failed).rejects.toBeInstanceOf(LinkError);
    await expect(failed).rejects.toMatchObject({ code: "REFUSED", address });
    expect(await rejections.take()).toMatchObject({ code: "DENIED" });
    await worker.stop();
  });

  test("a peer with the key of another broker does not connect, and reports why", async () => {
    const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
    const client = new Client(address, { curve: keys.curve(keys.client, keys.unknown.publicKey) });
    const received = new Promise<Error>((resolve) => client.once("error", resolve));
    const started = client.start();
    expect((await received).message).toContain(
      "HANDSHAKE_FAILED, the peer closed the connection during the handshake: serverKey may not be its key",
    );
    expect(await rejections.take()).toMatchObject({
      code: "HANDSHAKE_FAILED",
      mechanism: "CURVE",
      localAddress: address,
    });
    await client.stop();
    await expect(started).rejects.toMatchObject({ code: "CLOSED" });
  });

  test.each<{ who: string; options: ClientOptions }>([
    { who: "that shows nothing", options: {} },
    { who: "that shows nothing, over libzmq", options: { transport: "libzmq" } },
    { who: "with a password", options: { plain: { username: "ada", password: "x" } } },
  ])("a client $who is denied and notified, and the others continue", async ({ options }) => {
    const { address, rejections } = await startBroker({ curve: keys.server, authenticate: keys.isKnown }, where);
    const asked = await startEcho(address, { curve: keys.curve(keys.worker) });
    const denied = new Client(address, { ...options, stopTimeoutMs: 0 });
    const received = new Promise<Error>((resolve) => denied.once("error", resolve));
    const lost = denied.call("echo", "of an unknown client").catch((error: unknown) => error);
    const started = denied.start();
    const code = expect.toBeOneOf([...MISMATCH]);
    expect(await rejections.take()).toMatchObject({ code, mechanism: "CURVE", localAddress: address });
    expect(await received).toMatchObject({ code: "REFUSED", address });
    await using client = new Client(address, { curve: keys.curve(keys.client) });
    await client.start();
    expect(await client.call("echo", "of a friend")).toBe("of a friend");
    expect(asked).toEqual(["of a friend"]);
    await denied.stop();
    await expect(started).rejects.toThrow();
    expect(await lost).toMatchObject({ code: "CLOSED", delivery: "not-sent" });
  });
});

describe("with CURVE", () => {
  test("without authenticate, every peer that knows the broker's key is authorized, and no other", async () => {
    const { address } = await startBroker({ curve: keys.server });
    await startEcho(address, { curve: keys.curve(newCurveKeyPair()) });
    await using client = new Client(address, { curve: keys.curve(newCurveKeyPair()) });
    await client.start();
    expect(await client.call("echo", 1)).toBe(1);
    const denied = new Client(address, { transport: "libzmq" });
    await expect(denied.start()).rejects.toMatchObject({ code: "REFUSED" });
  });

  test("keys may be bytes", async () => {
    const { address } = await startBroker({ curve: keys.server, authenticate: keys.isKnown });
    const bytes = (text: string): Uint8Array => Z85.decode(text);
    await startEcho(address, {
      curve: {
        serverKey: bytes(keys.server.publicKey),
        publicKey: bytes(keys.worker.publicKey),
        secretKey: bytes(keys.worker.secretKey),
      },
    });
  });

  test("a peer that is removed from the list stays connected, and is denied at its next connection", async () => {
    const known = new Set([keys.client.publicKey]);
    const { broker, address } = await startBroker({
      curve: keys.server,
      authenticate: async (peer) => peer.mechanism === "CURVE" && known.has(peer.publicKey),
    });
    const client = new Client(address, { curve: keys.curve(keys.client), reconnect: 10 });
    onTestFinished(() => client.stop());
    await client.start();
    known.clear();
    expect(await client.call("mmi.service", "echo")).toBe("404");
    const rejection = new Promise<Error>((resolve) => client.once("error", resolve));
    await broker.stop();
    await startBroker({ curve: keys.server, authenticate: () => false }, address);
    expect(await rejection).toMatchObject({ code: "REFUSED" });
  });

  test("a peer with several addresses skips a broker that denies it", async () => {
    const strict = await startBroker({ curve: keys.server, authenticate: () => false });
    const open = await startBroker({ curve: keys.server });
    await using client = new Client([strict.address, open.address], {
      curve: keys.curve(keys.client),
      connectTimeoutMs: 300,
      reconnect: 10,
    });
    await client.start();
    expect(await strict.rejections.take()).toMatchObject({ code: "DENIED" });
  });

  test("the broker accepts frames of the same maximum size as without CURVE", async () => {
    const { address } = await startBroker({ curve: keys.server, maxFrameBytes: 10_000 });
    const asked = await startEcho(address, { curve: keys.curve(keys.worker) });
    await using client = new Client(address, { curve: keys.curve(keys.client) });
    await client.start();
    const largest = "x".repeat(10_000 - 2);
    expect(await client.call("echo", largest)).toBe(largest);
    const oversize = client.call("echo", `${largest}x`);
    await expect(oversize).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toHaveLength(1);
  });
});

describe("frontend and backend", () => {
  test("authenticate separately: a client's key is denied at the backend", async () => {
    const listeners: string[] = [];
    const { broker, rejections } = await startBroker(
      {
        curve: keys.server,
        authenticate: (peer) => {
          listeners.push(`${peer.domain} ${peer.listener}`);
          const owner = peer.listener === "frontend" ? keys.client : keys.worker;
          return peer.mechanism === "CURVE" && peer.publicKey === owner.publicKey;
        },
        zapDomain: "shop",
      },
      { frontend: LOOPBACK, backend: LOOPBACK },
    );
    const [frontend = "", backend = ""] = broker.addresses;
    await startEcho(backend, { curve: keys.curve(keys.worker) });
    await using client = new Client(frontend, { curve: keys.curve(keys.client) });
    await client.start();
    expect(await client.call("echo", 1)).toBe(1);
    const thief = new Worker(backend, "echo", { curve: keys.curve(keys.client) });
    await expect(thief.start()).rejects.toMatchObject({ code: "REFUSED" });
    expect(await rejections.take()).toMatchObject({ listener: "backend", code: "DENIED" });
    expect(listeners.slice(0, 2)).toEqual(["shop backend", "shop frontend"]);
  });
});

const Z85 = {
  decode(text: string): Uint8Array {
    const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    const groups = text.match(/.{5}/g) ?? [];
    return Buffer.concat(
      groups.map((group) => {
        const four = Buffer.alloc(4);
        four.writeUInt32BE([...group].reduce((sum, digit) => sum * 85 + digits.indexOf(digit), 0));
        return four;
      }),
    );
  },
};

process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// A broker with PLAIN, and one that authenticates peers by address.

import type { AuthRequest } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Host, MethodError, service, unary } from "@pigato/service";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { zmtp } from "@pigato/transport";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { pythonClient, pythonWorker } from "../dialects/python.ts";
import { connectRawPeer, startBroker, startWorker } from "../support/start.ts";
import { MISMATCH, startEcho } from "./keys.ts";

const TEXT = z.string();

describe("with PLAIN", () => {
  const isAda = (peer: AuthRequest): boolean =>
    peer.mechanism === "PLAIN" && peer.username === "ada" && peer.password === "löve lace";

  test.skipIf(foreignPeers.python.isMissing)("every kind of peer with the password is served", async () => {
    const { address, rejections } = await startBroker({ plain: true, authenticate: isAda });
    const security = { plain_username: "ada", plain_password: "löve lace" };
    const server = pythonWorker("mdp02", address, "echo", security);
    onTestFinished(() => server.close());
    await using client = new Client(address, { plain: { username: "ada", password: "löve lace" } });
    await client.start();
    const answer = client.call("echo", "hello");
    await (await server.next()).reply("final", '"and back"');
    expect(await answer).toBe("and back");
    expect(rejections.items).toEqual([]);
  });

  test("P-TAG-4: the name of the user reaches the handler, and no client can state another one", async () => {
    const { address } = await startBroker({ plain: true, authenticate: isAda, transport: zmtp });
    const plain = { username: "ada", password: "löve lace" };
    await startWorker(address, "who", (_data, reply) => reply.info.caller ?? null, { plain });
    await using client = new Client(address, { plain });
    await client.start();
    expect(await client.call("who")).toBe("ada");
  });

  test("P-TAG-4: an interceptor of a host refuses callers by their name", async () => {
    const knowsPassword = (peer: AuthRequest): boolean => peer.mechanism === "PLAIN" && peer.password === "lace";
    const { address } = await startBroker({ plain: true, authenticate: knowsPassword, transport: zmtp });
    const api = service("api", { whoami: unary({ input: z.undefined(), output: TEXT, errors: { FORBIDDEN: TEXT } }) });
    await using host = new Host(address, { plain: { username: "host", password: "lace" } });
    host.use((next) => (request) => {
      if (request.caller === "ada") return next(request.with({ headers: { seen: request.caller } }));
      throw new MethodError({ code: "FORBIDDEN", detail: String(request.caller), message: "not you" });
    });
    host.serve(api, { whoami: (_input, ctx) => `${ctx.caller} ${ctx.headers.get("seen")}` });
    await host.start();
    await using ada = new Client(address, { plain: { username: "ada", password: "lace" } });
    await using bob = new Client(address, { plain: { username: "bob", password: "lace" } });
    await Promise.all([ada.start(), bob.start()]);
    const seen: unknown[] = [];
    ada.use((next) => (request) => {
      seen.push(request.caller);
      return next(request);
    });
    expect(await ada.of(api).whoami()).toBe("ada ada");
    expect(seen).toEqual([undefined]);
    await expect(bob.of(api).whoami()).rejects.toMatchObject({ code: "FORBIDDEN", detail: "bob" });
  });

  test.each([
    { who: "with another password", options: { plain: { username: "ada", password: "x" } }, codes: ["DENIED"] },
    { who: "with another name", options: { plain: { username: "bob", password: "löve lace" } }, codes: ["DENIED"] },
    { who: "with neither", options: { transport: "libzmq" as const }, codes: MISMATCH },
  ])("a client $who is denied, and no password is reported", async ({ options, codes }) => {
    const { address, rejections } = await startBroker({ plain: true, authenticate: isAda });
    await expect(new Client(address, options).start()).rejects.toMatchObject({ code: "REFUSED" });
    const event = await rejections.take();
    expect(event).toMatchObject({ code: expect.toBeOneOf([...codes]), mechanism: "PLAIN" });
    expect(JSON.stringify(event)).not.toMatch(/ada|bob|lace/);
  });

  test.skipIf(foreignPeers.python.isMissing)("a peer in Python with another password is denied", async () => {
    const { address, rejections } = await startBroker({ plain: true, authenticate: isAda });
    const client = pythonClient("pigato", address, { plain_username: "ada", plain_password: "x" });
    onTestFinished(() => client.close());
    await client.request("echo", "1");
    expect(await rejections.take()).toMatchObject({ code: "DENIED", remoteAddress: "127.0.0.1" });
  });
});

test("P-TAG-4: a client without authentication has no identity, whatever it sends", async () => {
  const { address } = await startBroker();
  await startWorker(address, "who", (_data, { info }) => [info.caller ?? null, info.attempt]);
  const raw = connectRawPeer(address);
  for (const frames of [
    ["caller=admin", "attempt=9"],
    ["headers={}", "caller=admin"],
    ["x", "caller=admin"],
  ]) {
    await raw.send("C", "2", "who", frames.join("-"), "1", "{}", ...frames);
    expect((await raw.nextThat((reply) => reply[1] === "3"))[5]).toBe("[null,1]");
  }
});

describe("with authenticate alone", () => {
  test("it receives the address of a peer, and nothing else", async () => {
    const asked: AuthRequest[] = [];
    const { address } = await startBroker({
      zapDomain: "shop",
      authenticate: (peer) => {
        asked.push(peer);
        return true;
      },
    });
    await startEcho(address, {});
    expect(asked).toEqual([{ mechanism: "NULL", domain: "shop", listener: "bind", address: "127.0.0.1" }]);
  });

  test("a peer from another address is denied and notified", async () => {
    const { address, rejections } = await startBroker({ authenticate: (peer) => peer.address === "10.0.0.1" });
    const client = new Client(address);
    await expect(client.start()).rejects.toMatchObject({ code: "REFUSED" });
    expect(await rejections.take()).toMatchObject({ code: "DENIED", mechanism: "NULL", remoteAddress: "127.0.0.1" });
  });
});

describe("an authenticate that fails denies every peer:", () => {
  const cause = new Error("the database is gone");

  test.each<{ how: string; authenticate: (peer: AuthRequest) => boolean | Promise<boolean>; reported: object }>([
    {
      how: "one that throws",
      authenticate: () => {
        throw cause;
      },
      reported: { detail: "authenticate failed", cause },
    },
    {
      how: "one that rejects",
      authenticate: () => Promise.reject(cause),
      reported: { detail: "authenticate failed", cause },
    },
    {
      how: "one that never answers",
      authenticate: () => new Promise(() => {}),
      reported: { detail: "authenticate timed out" },
    },
    {
      how: "one that forgets to answer",
      authenticate: (): boolean => JSON.parse("null"),
      reported: { detail: "authenticate failed", cause: expect.any(TypeError) },
    },
    {
      how: "one that answers with something",
      authenticate: (): boolean => JSON.parse('{"ok":true}'),
      reported: { detail: "authenticate failed", cause: expect.any(TypeError) },
    },
  ])("$how", async ({ authenticate, reported }) => {
    const { address, rejections, broker } = await startBroker({ authenticate, authenticateTimeoutMs: 50 });
    const client = new Client(address);
    onTestFinished(() => client.stop());
    const received = new Promise<Error>((resolve) => client.once("error", resolve));
    const started = client.start();
    expect(await rejections.take()).toMatchObject({ code: "UNDECIDED", mechanism: "NULL", ...reported });
    expect(await received).toMatchObject({ code: "REFUSED" });
    expect(broker.stats()).toMatchObject({ clients: 0 });
    await client.stop();
    await expect(started).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a peer that could not be authenticated is accepted when it reconnects", async () => {
    let isDown = true;
    const { address, rejections } = await startBroker({
      authenticate: () => {
        if (isDown) throw cause;
        return true;
      },
    });
    await using client = new Client(address, { transport: "libzmq" });
    const started = client.start();
    await rejections.take();
    isDown = false;
    await started;
  });
});

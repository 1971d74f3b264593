// Binding and connecting, and the errors for unusable addresses.

import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { firstNumbers, message, texts } from "./frames.ts";
import type { TestDealer, TestLinks, TestRouter } from "./test-links.ts";
import { MuteDealer } from "./unread-peers.ts";

export function addressCases(links: () => TestLinks, kind: "tcp" | "ipc" | "inproc", keepsPeers: boolean): void {
  test("bind returns an address that dealers can connect to", async () => {
    const { address, ...router } = await links().boundRouter();
    if (kind === "tcp") expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    await expectThrough(links().connectedDealer("d", address), router);
  });

  test("a router that is bound twice is reached at both addresses", async () => {
    const { address, ...router } = await links().boundRouter();
    const second = await router.link.bind(links().newAddress());
    expect(second).not.toBe(address);
    await expectThrough(links().connectedDealer("first", address), router);
    await expectThrough(links().connectedDealer("second", second), router);
  });

  test("an address in use is rejected, and its owner continues", async () => {
    const { address, ...owner } = await links().boundRouter();
    const inUse = { name: "LinkError", code: "ADDRESS_IN_USE", address };
    await expect(links().router().link.bind(address)).rejects.toMatchObject(inUse);
    await expectThrough(links().connectedDealer("d", address), owner);
  });

  test("a router whose address was rejected can bind another", async () => {
    const { address } = await links().boundRouter();
    const router = links().router();
    await expect(router.link.bind(address)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    await expectThrough(links().connectedDealer("d", await router.link.bind(links().newAddress())), router);
  });

  test.each(["", "nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "http://127.0.0.1:80", `${kind}://`])(
    "%j cannot be bound or connected to",
    async (address) => {
      const invalid = { name: "LinkError", code: "ADDRESS_INVALID", address };
      await expect(links().router().link.bind(address)).rejects.toMatchObject(invalid);
      expect(() => links().dealer("d").link.connect(address)).toThrow(expect.objectContaining(invalid));
    },
  );

  test("an address that was unbound is free for another router", async () => {
    const { address, link } = await links().boundRouter();
    await link.unbind(address);
    if (kind === "tcp") await expectUnreachable(address);
    const next = links().router();
    expect(await next.link.bind(address)).toBe(address);
    await expectThrough(links().connectedDealer("d", address), next);
  });

  test("an address is free as soon as its router is closed, even with connected dealers", async () => {
    const address = await links().knownAddress();
    for (const life of firstNumbers(10)) {
      const router = links().router();
      expect(await router.link.bind(address)).toBe(address);
      const mute = new MuteDealer(address, `mute ${life}`);
      onTestFinished(() => mute.close());
      await mute.greet();
      // Peers of earlier connections may reconnect.
      await router.messages.take(({ peer }) => peer === `mute ${life}`);
      router.link.send(`mute ${life}`, [Buffer.alloc(10_000)]);
      await router.link.close(0);
    }
  });

  test("an address that was never bound cannot be unbound", async () => {
    const router = await links().boundRouter();
    const address = kind === "tcp" ? "tcp://127.0.0.1:1" : links().newAddress();
    await expect(router.link.unbind(address)).rejects.toMatchObject({ code: "ADDRESS_INVALID", address });
  });

  test("messages sent before unbinding arrive", async () => {
    const { address, ...router } = await links().boundRouter();
    const dealer = links().connectedDealer("d", address);
    await expectThrough(dealer, router);
    for (const text of ["one", "two", "three"]) router.link.send("d", message(text));
    await router.link.unbind(address);
    expect((await dealer.messages.takeMany(3)).map(texts)).toEqual([["one"], ["two"], ["three"]]);
  });

  test.runIf(keepsPeers)("connected peers stay connected when their address is unbound", async () => {
    const { address, ...router } = await links().boundRouter();
    const dealer = links().connectedDealer("d", address);
    await expectThrough(dealer, router);
    await router.link.unbind(address);
    await expectThrough(dealer, router);
    expect(dealer.events.items.map((events) => events.type)).toEqual(["up"]);
  });

  test.skipIf(keepsPeers)(
    "peers are notified that their connection is closed when their address is unbound",
    async () => {
      const { address, ...router } = await links().boundRouter();
      const dealer = links().connectedDealer("d", address);
      await expectThrough(dealer, router);
      await router.link.unbind(address);
      await dealer.events.take((events) => events.type === "down");
    },
  );

  test("the other addresses still work when one is unbound", async () => {
    const { address, ...router } = await links().boundRouter();
    const second = await router.link.bind(links().newAddress());
    const dealer = links().connectedDealer("d", second);
    await expectThrough(dealer, router);
    await router.link.unbind(address);
    await expectThrough(dealer, router);
    await expectThrough(links().connectedDealer("later", second), router);
  });

  test("closed links neither bind nor connect", async () => {
    const router = links().router();
    await router.link.close();
    await expect(router.link.bind(links().newAddress())).rejects.toMatchObject({ code: "CLOSED" });
    const address = await links().knownAddress();
    const dealer = links().dealer("d");
    await dealer.link.close();
    expect(() => dealer.link.connect(address)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  test.skipIf(kind === "inproc")("a dealer reports each attempt that fails, until it is connected", async () => {
    const address = await links().knownAddress();
    const dealer = links().connectedDealer("early", address);
    for (const failure of await dealer.failures.takeMany(3)) {
      expect(failure).toMatchObject({ name: "LinkError", code: "UNREACHABLE", address });
      expect(failure.message).toContain(`cannot connect to ${address}: `);
    }
    const router = links().router();
    await router.link.bind(address);
    await expectThrough(dealer, router);
    const failures = dealer.failures.items.length;
    await (await links().clockwork())();
    expect(dealer.failures.items).toHaveLength(failures);
  });

  test.runIf(kind === "tcp").each(["tcp://*:*", "tcp://*:0", "tcp://127.0.0.1:0", "tcp://localhost:*"])(
    "%s binds a free port, found at localhost",
    async (address) => {
      const router = links().router();
      const port = (await router.link.bind(address)).split(":").at(-1);
      expect(Number(port)).toBeGreaterThan(0);
      await expectThrough(links().connectedDealer("d", `tcp://localhost:${port}`), router);
    },
  );
}

/** Waits until a message of the dealer and its answer have arrived. */
async function expectThrough(dealer: TestDealer, router: Pick<TestRouter, "link" | "messages">): Promise<void> {
  dealer.link.send(message("ping"));
  const { peer, frames } = await router.messages.take();
  expect(texts(frames)).toEqual(["ping"]);
  expect(router.link.send(peer, message("pong"))).toBe("queued");
  expect(texts(await dealer.messages.take())).toEqual(["pong"]);
}

async function expectUnreachable(address: string): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  const [error] = await once(socket, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
}

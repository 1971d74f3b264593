// Routing ids, reconnects, and messages for peers that have left.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { firstNumbers, message, numbered, numberOf, texts } from "./frames.ts";
import { PlainListener } from "./plain-listener.ts";
import type { Abilities } from "./subject.ts";
import type { TestLinks, TestRouter } from "./test-links.ts";

export function peerCases(links: () => TestLinks, can: Abilities): void {
  test.each([
    ["text", "worker-1"],
    ["bytes that are no UTF-8", "\u00ff\u0080\u0000\u00fe"],
    ["a single byte", "\u0001"],
    ["255 bytes", "\u00e9".repeat(255)],
  ])("a routing id of %s is the peer's name", async (_what, routingId) => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer(routingId, router.address);
    dealer.link.send(message("hello"));
    const { peer } = await router.messages.take();
    expect(peer).toBe(routingId);
    router.link.send(peer, message("welcome"));
    expect(texts(await dealer.messages.take())).toEqual(["welcome"]);
  });

  test.each([
    ["no bytes", ""],
    ["a zero at its start", "\u0000abc"],
    ["256 bytes", "x".repeat(256)],
    ["characters that are no bytes", "\u017eluva"],
  ])("a routing id of %s is rejected", (_what, routingId) => {
    expect(() => links().dealer(routingId)).toThrow(RangeError);
  });

  test("a routing id belongs to the connection that claimed it first", async () => {
    const router = await links().boundRouter();
    const first = links().connectedDealer("same", router.address);
    first.link.send(message("from the first"));
    await router.messages.take();
    const second = links().connectedDealer("same", router.address);
    second.link.send(message("from the second"));
    const pass = await links().clockwork();
    for (const number of firstNumbers(50)) {
      router.link.send("same", numbered(number));
      await pass();
    }
    expect((await first.messages.takeMany(50)).map(numberOf)).toEqual(firstNumbers(50));
    expect(second.messages.items).toEqual([]);
    expect(router.messages.items).toEqual([]);
    first.link.send(message("still here"));
    expect(texts((await router.messages.take()).frames)).toEqual(["still here"]);
  });

  test("a dealer may connect before its router listens, and messages sent meanwhile arrive in order", async () => {
    const address = await links().knownAddress();
    const dealer = links().connectedDealer("early", address);
    for (const number of firstNumbers(1_000)) expect(dealer.link.send(numbered(number))).not.toBe("unreachable");
    const router = links().router();
    await router.link.bind(address);
    const received = await router.messages.takeMany(1_000);
    expect(received.map(({ frames }) => numberOf(frames))).toEqual(firstNumbers(1_000));
    router.link.send("early", message("late"));
    expect(texts(await dealer.messages.take())).toEqual(["late"]);
  });

  test("a dealer is notified of its router before the first message", async () => {
    const address = await links().knownAddress();
    const received: string[] = [];
    const dealer = links().dealer("d");
    dealer.events.onAdd = ({ type }) => received.push(type);
    dealer.messages.onAdd = () => received.push("message");
    dealer.link.connect(address);
    dealer.link.send(message("hello"));
    const router = links().router({}, (link, peer, frames) => {
      for (const _ of firstNumbers(3)) link.send(peer, frames);
    });
    await router.link.bind(address);
    await dealer.messages.takeMany(3);
    expect(received).toEqual(["up", "message", "message", "message"]);
  });

  test.runIf(can.reconnect)(
    "a dealer is notified of its router's end and connects to the next at the same address",
    async () => {
      const { address, ...router } = await links().boundRouter();
      const dealer = links().connectedDealer("d", address);
      dealer.link.send(message("to the first"));
      await router.messages.take();
      await router.link.close();
      await dealer.events.take((events) => events.type === "down");
      dealer.link.send(message("to the next"));
      const next = links().router();
      await next.link.bind(address);
      expect(texts((await next.messages.take()).frames)).toEqual(["to the next"]);
      expect(dealer.events.items.map((events) => events.type)).toEqual(["up", "up"]);
      next.link.send("d", message("welcome back"));
      expect(texts(await dealer.messages.take())).toEqual(["welcome back"]);
    },
  );

  test("a message for an unknown peer is returned", async () => {
    const router = await links().boundRouter();
    await expectReturned(router, "nothing");
  });

  test("a message for a peer that has left is returned, and the peer's end is reported", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    dealer.link.send(message("hello"));
    await router.messages.take();
    await dealer.link.close();
    await expectReturned(router, "d");
    await router.events.take((events) => events.type === "down" && events.peer === "d");
  });

  test("every message that waited for a peer is reported before the peer's end", async () => {
    const router = await links().boundRouter();
    const pending = firstNumbers(100).filter((number) => router.link.send("nothing", numbered(number)) === "queued");
    if (pending.length === 0) return; // it knew
    await router.events.take((events) => events.type === "down");
    const returned = router.events.items.map((events) =>
      events.type === "undelivered" ? numberOf(events.frames) : events.type,
    );
    expect(returned).toEqual(pending);
  });

  test("a peer that has left can reconnect with the same routing id", async () => {
    const router = await links().boundRouter();
    const first = links().connectedDealer("d", router.address);
    first.link.send(message("first life"));
    await router.messages.take();
    await first.link.close();
    await expectReturned(router, "d");
    // The router may not have noticed the end of the first connection. Then it rejects the second one, which tries again.
    const pass = await links().clockwork();
    const knock = async () => {
      const second = links().connectedDealer("d", router.address);
      second.link.send(message("second life"));
      for (let passes = 0; passes < 200 && router.messages.items.length === 0; passes++) await pass();
      return second;
    };
    let second = await knock();
    while (router.messages.items.length === 0) {
      await second.link.close(0);
      second = await knock();
    }
    router.link.send("d", message("welcome"));
    expect(texts(await second.messages.take())).toEqual(["welcome"]);
  });

  test.runIf(can.reportPeers)("a router is notified of peers that connect and disconnect", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    expect(await router.events.take()).toEqual({ type: "up", peer: "d" });
    await dealer.link.close();
    expect(await router.events.take()).toEqual({ type: "down", peer: "d" });
  });

  test.runIf(can.limitFrames)("a peer that sends a frame over the bound is disconnected, and no other", async () => {
    const router = await links().boundRouter({ limits: { maxFrameBytes: 10_000 } });
    const good = links().connectedDealer("good", router.address);
    const bad = links().connectedDealer("bad", router.address);
    bad.link.send([Buffer.alloc(10_000)]);
    await router.messages.take(({ peer }) => peer === "bad");
    bad.link.send([Buffer.alloc(10_001)]);
    await bad.events.take((events) => events.type === "down");
    good.link.send(message("still here"));
    expect((await router.messages.take()).peer).toBe("good");
    await bad.events.take((events) => events.type === "up");
    bad.link.send(message("back again"));
    expect(texts((await router.messages.take()).frames)).toEqual(["back again"]);
    expect(good.events.items.map((events) => events.type)).toEqual(["up"]);
  });

  test.runIf(can.limitFrames)("a router that sends a dealer a frame over its bound is disconnected", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address, { limits: { maxFrameBytes: 10_000 } });
    dealer.link.send(message("hello"));
    await router.messages.take();
    router.link.send("d", [Buffer.alloc(10_000)]);
    expect((await dealer.messages.take())[0]).toHaveLength(10_000);
    router.link.send("d", [Buffer.alloc(10_001)]);
    await dealer.events.take((events) => events.type === "down");
    await dealer.events.take((events) => events.type === "up");
    for (const number of firstNumbers(100)) dealer.link.send(numbered(number));
    const received = await router.messages.takeMany(100);
    expect(received.map(({ frames }) => numberOf(frames))).toEqual(firstNumbers(100));
    expect(dealer.messages.items).toEqual([]);
  });

  test.runIf(can.reconnect)("a dealer connects to a router that replaces another server at the address", async () => {
    const address = await links().knownAddress();
    const listener = new PlainListener();
    await listener.listen(address);
    const dealer = links().connectedDealer("d", address);
    dealer.link.send(message("hello"));
    for (const _ of firstNumbers(3)) await listener.connected();
    await listener.close();
    const router = links().router();
    await router.link.bind(address);
    expect(texts((await router.messages.take()).frames)).toEqual(["hello"]);
    expect(dealer.events.items.filter(({ type }) => type !== "rejected").map(({ type }) => type)).toEqual(["up"]);
  });
}

/** Sends until the router knows that the peer is gone, because the message it accepted last is returned. */
export async function expectReturned(router: TestRouter, peer: string): Promise<void> {
  for (;;) {
    const outcome = router.link.send(peer, message("anybody?"));
    if (outcome === "unreachable") return;
    expect(outcome).toBe("queued");
    for (let turn = 0; turn < 100; turn++) {
      if (router.events.items.some((events) => events.type === "undelivered" && events.peer === peer)) {
        const events = await router.events.take((each) => each.type === "undelivered" && each.peer === peer);
        expect(events).toMatchObject({ frames: message("anybody?") });
        return;
      }
      await nextTurn();
    }
  }
}

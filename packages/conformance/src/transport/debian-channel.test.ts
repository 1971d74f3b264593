// Our publisher and subscriber with those of Debian's libzmq.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runDebianPeer } from "../support/spawn.ts";
import { message } from "./frames.ts";
import { TestChannels } from "./test-channels.ts";

describe.skipIf(foreignPeers.python.isMissing).each(["tcp", "ipc"] as const)("over %s", (kind) => {
  let channels: TestChannels;

  beforeEach(() => {
    channels = new TestChannels({ publisher: "zmtp", subscriber: "zmtp", kind });
  });

  test.each(["sub", "xsub"])(
    "a late %s of Debian's libzmq gets its subscriptions, and nothing else",
    async (socket) => {
      const { link, address } = await channels.boundPublisher();
      link.publish(message("number 1", "more"));
      const peer = start(socket, address);
      expect(await peer.nextLine()).toBe("number 1|more");
      link.publish(message("letter a"));
      link.publish(message("number letters"));
      expect(await peer.nextLine()).toBe("number letters");
      // It has replaced one subscription by another, and receives the value at once.
      link.publish([Buffer.from("letter \u00ff1", "latin1")]);
      expect(await peer.nextLine()).toBe("letter \u00ff1");
      link.publish(message("number 2"));
      link.publish([Buffer.from("letter \u00ff stop", "latin1")]);
      expect(await peer.nextLine()).toBe("letter \u00ff stop");
    },
  );

  test("a PUB of Debian's libzmq reaches our subscriber", async () => {
    const peer = start("pub", channels.newAddress());
    const subscriber = channels.subscriber("state", await peer.nextLine());
    while (subscriber.messages.items.length === 0) {
      peer.writeLine("else");
      peer.writeLine("state \u00ff|two");
      await peer.nextLine();
      await peer.nextLine();
    }
    expect((await subscriber.messages.take()).map((frame) => Buffer.from(frame).toString("latin1"))).toEqual([
      "state \u00ff",
      "two",
    ]);
    expect(subscriber.messages.items.every(([frame]) => frame?.[0] === "s".charCodeAt(0))).toBe(true);
  });

  test("an XPUB of Debian's libzmq, and its successor, receives the subscriptions of our subscriber", async () => {
    const peer = start("xpub", channels.newAddress());
    const address = await peer.nextLine();
    const subscriber = channels.subscriber("state", address);
    expect(await peer.nextLine()).toBe("1 state");
    const [first, second] = await subscriber.messages.take();
    expect([String(first), second?.length]).toEqual(["state!", 100_000]);
    subscriber.link.subscribe("\u00ff\u0000");
    expect(await peer.nextLine()).toBe("1 \u00ff\u0000");
    await subscriber.messages.take();
    await peer.kill();
    await subscriber.events.take(({ type }) => type === "down");

    const next = start("xpub", address);
    expect(await next.nextLine()).toBe(address);
    expect([await next.nextLine(), await next.nextLine()]).toEqual(["1 state", "1 \u00ff\u0000"]);
    subscriber.link.subscribe("stop");
    expect(await next.nextLine()).toBe("1 stop");
    await subscriber.events.take(({ type }) => type === "down");
    expect(subscriber.events.items.map(({ type }) => type)).toEqual(["up", "up"]);
  });

  function start(socket: string, address: string): PeerProcess {
    const peer = runDebianPeer(socket, address);
    onTestFinished(() => void peer.kill());
    return peer;
  }
});

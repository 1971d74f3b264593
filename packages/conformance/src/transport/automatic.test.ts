import { fileURLToPath } from "node:url";
import { Inbox } from "@pigato/testkit";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { automatic, type Frames, type RouterLink } from "@pigato/transport";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { channelCompliance } from "./channel-compliance.ts";
import { message, texts } from "./frames.ts";
import { linkCompliance } from "./link-compliance.ts";
import { expectReturned } from "./peer-cases.ts";
import type { Abilities, Subject } from "./subject.ts";
import { TestLinks, type TestRouter } from "./test-links.ts";

const NETWORK: Abilities = {
  reportPeers: true,
  reconnect: true,
  limitFrames: true,
  keepPeersOnUnbind: true,
  unreadAtClose: Number.POSITIVE_INFINITY,
};
const TCP: Subject = { router: "automatic", dealer: "automatic", kind: "tcp", can: NETWORK };

linkCompliance(TCP);
linkCompliance({ ...TCP, kind: "ipc" });
linkCompliance({
  ...TCP,
  kind: "inproc",
  can: { ...NETWORK, reportPeers: false, reconnect: false, limitFrames: false },
});

for (const kind of ["tcp", "ipc", "inproc"] as const) {
  channelCompliance({ publisher: "automatic", subscriber: "automatic", kind });
}

const MAIN = fileURLToPath(new URL("./native-package-main.ts", import.meta.url));

describe("a router that listens within the process and on the network", () => {
  let links: TestLinks;
  let router: TestRouter;
  let tcp = "";
  const inproc = "inproc://mixed-addresses";

  beforeEach(async () => {
    links = new TestLinks(TCP);
    router = links.router();
    tcp = await router.link.bind("tcp://127.0.0.1:*");
    await router.link.bind(inproc);
  });

  test("receives from both kinds of peers, and replies to each", async () => {
    const peers = { near: links.connectedDealer("near", inproc), far: links.connectedDealer("far", tcp) };
    for (const [name, dealer] of Object.entries(peers)) {
      dealer.link.send(message(`from ${name}`));
      const { peer, frames } = await router.messages.take();
      expect([peer, ...texts(frames)]).toEqual([name, `from ${name}`]);
      router.link.send(peer, message(`to ${name}`));
      expect(texts(await dealer.messages.take())).toEqual([`to ${name}`]);
    }
  });

  test("rejects a routing id on the network that is in use within the process", async () => {
    const near = links.connectedDealer("same", inproc);
    near.link.send(message("first"));
    await router.messages.take();
    const far = links.connectedDealer("same", tcp);
    far.link.send(message("second"));
    expect(await router.events.take((events) => events.type === "rejected")).toMatchObject({
      rejection: { code: "ROUTING_ID" },
    });
    router.link.send("same", message("for the first"));
    expect(texts(await near.messages.take())).toEqual(["for the first"]);
    expect(far.events.items.filter(({ type }) => type === "up")).toEqual([]);
    expect(router.messages.items).toEqual([]);
  });

  test("rejects a routing id within the process that is in use on the network", async () => {
    const far = links.connectedDealer("same", tcp);
    far.link.send(message("first"));
    await router.messages.take();
    const near = links.connectedDealer("same", inproc);
    near.link.send(message("second"));
    await router.events.take((events) => events.type === "rejected");
    router.link.send("same", message("for the first"));
    expect(texts(await far.messages.take())).toEqual(["for the first"]);
    expect(router.messages.items).toEqual([]);
    expect(near.messages.items).toEqual([]);
  });

  test("frees a routing id when its owner within the process is gone", async () => {
    const near = links.connectedDealer("same", inproc);
    near.link.send(message("first"));
    await router.messages.take();
    await near.link.close();
    await expectReturned(router, "same");
    await router.events.take(({ type }) => type === "down");
    links.connectedDealer("same", tcp).link.send(message("second"));
    expect(texts((await router.messages.take()).frames)).toEqual(["second"]);
  });

  test("stops listening at one kind of address alone", async () => {
    await router.link.unbind(inproc);
    const far = links.connectedDealer("far", tcp);
    far.link.send(message("still here"));
    await router.messages.take();
    const next: RouterLink = links.router().link;
    expect(await next.bind(inproc)).toBe(inproc);
  });
});

describe("the native package", () => {
  test.each([
    ["tcp://127.0.0.1:*", "not loaded"],
    ["inproc://loads-the-native-package", "loaded"],
  ])("for messages over %s is %s", async (address, expected) => {
    expect(await printed("link", address)).toBe(expected);
  });

  test.each([
    ["tcp://127.0.0.1:*", "not loaded"],
    ["inproc://channel-by-the-native-package", "loaded"],
  ])("for a broker whose core services listen at %s is %s", async (channel, expected) => {
    expect(await printed("services", channel)).toBe(expected);
  });

  test("for a broker with a channel of its own choice is not loaded", async () => {
    expect(await printed("services")).toBe("not loaded");
  });

  /** The output of a process that ends. */
  /** The output of the program. */
  async function printed(...args: readonly string[]): Promise<string> {
    const program = PeerProcess.node(MAIN, args);
    // A program that does not end by itself fails the test and must be killed.
    onTestFinished(() => void program.kill());
    const words = await program.nextLine();
    await program.exited();
    return words;
  }
});

describe("a publisher that listens within the process and on the network", () => {
  test("publishes the latest value at all addresses, whenever they were bound", async () => {
    const publisher = automatic.publisher();
    const tcp = await publisher.bind("tcp://127.0.0.1:*");
    publisher.publish(message("state of before"));
    const inproc = await publisher.bind("inproc://mixed-channel");
    const received = { far: new Inbox<Frames>(), near: new Inbox<Frames>() };
    const far = automatic.subscriber({ onMessage: (frames) => received.far.add(frames) });
    const near = automatic.subscriber({ onMessage: (frames) => received.near.add(frames) });
    for (const subscriber of [far, near]) subscriber.subscribe("state");
    far.connect(tcp);
    near.connect(inproc);
    for (const inbox of Object.values(received)) expect(texts(await inbox.take())).toEqual(["state of before"]);
    publisher.publish(message("state of after"));
    for (const inbox of Object.values(received)) {
      await inbox.take((frames) => texts(frames)[0] === "state of after");
    }
    await Promise.all([far.close(), near.close(), publisher.close()]);
  });
});

test("messages that a dealer sends before it connects are sent after it has connected", async () => {
  const received = await new Promise<string[]>((resolve) => {
    const router = automatic.router({
      onMessage: (_peer, frames) => {
        resolve(texts(frames));
        void router.close().then(() => dealer.close());
      },
    });
    const dealer = automatic.dealer({ onMessage: () => {} }, { routingId: "d" });
    dealer.send(message("early"));
    void router.bind("inproc://early").then(() => dealer.connect("inproc://early"));
  });
  expect(received).toEqual(["early"]);
});

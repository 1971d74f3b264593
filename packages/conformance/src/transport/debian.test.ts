// Our router and dealer with peers of Debian's libzmq.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runDebianPeer } from "../support/spawn.ts";
import { firstNumbers, message, numberOf, texts } from "./frames.ts";
import { TestLinks } from "./test-links.ts";

const can = { reportPeers: true, reconnect: true, limitFrames: true, keepPeersOnUnbind: true, unreadAtClose: 100 };

describe.skipIf(foreignPeers.python.isMissing).each(["tcp", "ipc", "abstract ipc"] as const)("over %s", (way) => {
  let links: TestLinks;

  beforeEach(() => {
    // With Node 20, other programs do not find abstract names, so both ends use libzmq there.
    const name = way === "abstract ipc" ? "automatic" : "zmtp";
    links = new TestLinks({ router: name, dealer: name, kind: way === "tcp" ? "tcp" : "ipc", can });
  });

  const newAddress = () =>
    way === "abstract ipc" ? `ipc://@pigato-${process.pid}-${Math.random()}` : links.newAddress();

  test("a dealer of Debian's libzmq gets its own messages back from our router", async () => {
    const router = links.echoRouter();
    const child = start("dealer", await router.link.bind(newAddress()));
    expect(await child.nextLine()).toBe("the same");
    if (way === "abstract ipc") return;
    expect(await router.events.take()).toEqual({ type: "up", peer: "debian \u00ff" });
    expect(await router.events.take()).toEqual({ type: "down", peer: "debian \u00ff" });
  });

  test("a REQ of Debian's libzmq, without a routing id, gets a reply from our router", async () => {
    const router = links.router({}, (link, peer, [empty, question]) => {
      const answer = [empty ?? Buffer.alloc(1), Buffer.from(`${Buffer.from(question ?? []).toString()}, answered`)];
      link.send(peer, answer);
    });
    const child = start("request", await router.link.bind(newAddress()));
    expect(await child.nextLine()).toBe("question, answered");
  });

  test("our dealer gets its own messages back from a router of Debian's libzmq", async () => {
    const child = start("router", newAddress());
    const dealer = links.connectedDealer("ours \u00fe", await child.nextLine());
    for (const number of firstNumbers(100))
      dealer.link.send([Buffer.from(`${number}`), Buffer.alloc(number * 700, "y")]);
    dealer.link.send(message("stop"));
    const answers = await dealer.messages.takeMany(101);
    expect(answers.slice(0, 100).map(numberOf)).toEqual(firstNumbers(100));
    expect(answers.slice(0, 100).map((frames) => frames[1]?.length)).toEqual(
      firstNumbers(100).map((number) => number * 700),
    );
    expect(texts(answers[100] ?? [])).toEqual(["stop"]);
    await dealer.events.take(({ type }) => type === "down");
  });

  function start(kind: string, address: string): PeerProcess {
    const peer = runDebianPeer(kind, address);
    onTestFinished(() => void peer.kill());
    return peer;
  }
});

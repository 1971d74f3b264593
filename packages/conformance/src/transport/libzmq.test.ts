import { libzmq } from "@pigato/transport";
import { expect, test } from "vitest";
import { Dealer, Router } from "zeromq";
import { channelCompliance } from "./channel-compliance.ts";
import { linkCompliance } from "./link-compliance.ts";
import type { Abilities } from "./subject.ts";

const OVER_TCP: Abilities = {
  reportPeers: false,
  reconnect: true,
  limitFrames: true,
  keepPeersOnUnbind: false,
  unreadAtClose: Number.POSITIVE_INFINITY,
};
/**
 * When the other end closes a local socket, libzmq discards unread data above its high-water mark, if it had stopped reading
 * because of the mark.
 */
const OVER_IPC: Abilities = { ...OVER_TCP, unreadAtClose: 100 };
/** Between threads there are no connections to lose or to monitor. */
const WITHIN_THE_PROCESS: Abilities = {
  reportPeers: false,
  reconnect: false,
  limitFrames: false,
  keepPeersOnUnbind: true,
  unreadAtClose: Number.POSITIVE_INFINITY,
};

linkCompliance({ router: "libzmq", dealer: "libzmq", kind: "tcp", can: OVER_TCP });
linkCompliance({ router: "libzmq", dealer: "libzmq", kind: "ipc", can: OVER_IPC });
linkCompliance({ router: "libzmq", dealer: "libzmq", kind: "inproc", can: WITHIN_THE_PROCESS });

channelCompliance({ publisher: "libzmq", subscriber: "libzmq", kind: "tcp" });
channelCompliance({ publisher: "libzmq", subscriber: "libzmq", kind: "ipc" });
channelCompliance({ publisher: "libzmq", subscriber: "libzmq", kind: "inproc" });

test("other users of zeromq in the process can reach libzmq's links over inproc", async () => {
  const router = libzmq.router({ onMessage: (peer, frames) => router.send(peer, frames) });
  await router.bind("inproc://shared-context-router");
  const foreignDealer = new Dealer({ routingId: "foreign", linger: 0 });
  foreignDealer.connect("inproc://shared-context-router");
  await foreignDealer.send("hello");
  expect(String(await foreignDealer.receive())).toBe("hello");
  foreignDealer.close();
  await router.close();

  const foreignRouter = new Router({ linger: 0 });
  foreignRouter.bindSync("inproc://shared-context-dealer");
  const dealer = libzmq.dealer({ onMessage: () => {} }, { routingId: "ours" });
  dealer.connect("inproc://shared-context-dealer");
  dealer.send([Buffer.from("hello")]);
  expect((await foreignRouter.receive()).map(String)).toEqual(["ours", "hello"]);
  foreignRouter.close();
  await dealer.close();
});

// What the broker does with the reports of its links that a network in memory never makes: messages that are too large, unfinished or
// undelivered, rejected connections, and sockets that fail.

import { readText, writeText } from "@pigato/protocol";
import { FakeClock, MemoryNetwork } from "@pigato/testkit";
import {
  type ConnectionRejection,
  type Frames,
  LinkError,
  type PublisherHandlers,
  type RouterHandlers,
  type Transport,
} from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import { Broker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

const ADDRESS = "memory://broker";
const DETAIL = "a frame of 9 bytes; the bound is 8";

interface Peer {
  readonly received: string[][];
  send(...frames: string[]): void;
}

/** A broker with a worker `w1` and a client `c1`, and the handlers of its links. */
async function served(options: BrokerOptions = {}) {
  const network = new MemoryNetwork();
  const clock = new FakeClock();
  const links: { router?: RouterHandlers; channel?: PublisherHandlers | undefined } = {};
  const transport: Transport = {
    router: (handlers) => {
      links.router = handlers;
      return network.router(handlers);
    },
    dealer: (handlers, dealerOptions) => network.dealer(handlers, dealerOptions),
    publisher: (handlers) => {
      links.channel = handlers;
      return network.publisher();
    },
    subscriber: (handlers) => network.subscriber(handlers),
  };
  const broker = new Broker(ADDRESS, { transport, clock, intch: "memory://channel", ...options });
  const events: string[] = [];
  broker.on("connection:rejected", ({ listener, code, peer }) => events.push(`${listener}: ${code} of ${peer}`));
  broker.on("stop", () => events.push("stopped"));
  broker.on("error", (error) => events.push(String(error)));
  await broker.start();
  onTestFinished(() => broker.stop());
  const connect = (id: string): Peer => {
    const received: string[][] = [];
    const dealer = network.dealer({ onMessage: (frames) => received.push(frames.map(readText)) }, { routingId: id });
    dealer.connect(ADDRESS);
    return { received, send: (...frames) => dealer.send(frames.map(writeText)) };
  };
  const w1 = connect("w1");
  w1.send("W", "1", "echo");
  w1.send("W", "4", "", '{"concurrency":100}');
  const c1 = connect("c1");
  network.deliver();
  w1.received.length = 0;
  return { broker, network, clock, links, events, w1, c1 };
}

function framesOf(...texts: string[]): Frames {
  return texts.map(writeText);
}

test("a request that is too large fails, and nothing else", async () => {
  const { network, links, c1, w1 } = await served();
  links.router?.onOversized?.("c1", { frames: framesOf("C", "2", "echo", "r1", "", "{}"), detail: DETAIL });
  network.deliver();
  expect(c1.received.at(-1)).toEqual(["C", "3", "", "r1", "-1", '"INVALID"']);
  expect(w1.received).toEqual([]);
});

test("a reply that is too large fails its request, and its worker stays", async () => {
  const { broker, network, links, c1, w1 } = await served();
  c1.send("C", "2", "echo", "r1", '"data"', "{}");
  network.deliver();
  const [, , address = ""] = w1.received.at(-1) ?? [];
  links.router?.onOversized?.("w1", { frames: framesOf("W", "3", address, "", "r1", "0", "", "{}"), detail: DETAIL });
  network.deliver();
  expect(c1.received.at(-1)).toEqual(["C", "3", "", "r1", "-1", '"INVALID"']);
  expect(broker.stats()).toMatchObject({ open: 0, workers: 1 });
});

test("another message that is too large is a violation", async () => {
  const { broker, links } = await served();
  const violations: unknown[] = [];
  broker.on("violation", ({ peer, clause }) => violations.push(`${peer}: ${clause}`));
  links.router?.onOversized?.("c1", { frames: framesOf("C", "4", ""), detail: DETAIL });
  links.router?.onOversized?.("w1", { frames: framesOf("W", "4", ""), detail: DETAIL });
  expect(violations).toEqual(["c1: P-SIZE-2", "w1: P-SIZE-2"]);
});

test("bytes of a message that is not whole keep its worker alive", async () => {
  const { broker, clock, links } = await served({ heartbeat: 1_000, heartbeatLiveness: 3 });
  for (let second = 0; second < 60; second++) {
    links.router?.onReceiving?.("w1");
    clock.advance(1_000);
  }
  expect(broker.stats()).toMatchObject({ workers: 1 });
  for (let second = 0; second < 60; second++) clock.advance(1_000);
  expect(broker.stats()).toMatchObject({ workers: 0 });
});

test("a request that the link returns was not received, and waits for another worker", async () => {
  const { broker, network, links, c1, w1 } = await served();
  c1.send("C", "2", "echo", "r1", '"data"', "{}");
  network.deliver();
  const [frames = []] = w1.received;
  links.router?.onUndelivered?.("w1", framesOf(...frames));
  links.router?.onPeerDown?.("w1");
  network.deliver();
  expect(broker.stats()).toMatchObject({ open: 1, inFlight: 0, workers: 0 });
  links.router?.onUndelivered?.("w1", framesOf(...frames));
  links.router?.onUndelivered?.("c1", framesOf("C", "3"));
  expect(broker.stats()).toMatchObject({ open: 1 });
});

test("a rejected connection is reported with its listener, and its peer if it has a name", async () => {
  const { links, events } = await served();
  const rejection: ConnectionRejection = { code: "DENIED", detail: "unknown key" };
  links.router?.onRejected?.(rejection, undefined);
  links.router?.onRejected?.(rejection, "w1");
  links.channel?.onRejected?.(rejection);
  expect(events).toEqual(["bind: DENIED of undefined", "bind: DENIED of w1", "intch: DENIED of undefined"]);
});

test.each(["router", "channel"] as const)("a %s that fails stops the broker, with its error", async (link) => {
  const { broker, links, events } = await served();
  const stopped = new Promise((resolve) => broker.once("stop", () => resolve(undefined)));
  links[link]?.onError?.(new LinkError("FAILED", "the socket failed"));
  await stopped;
  expect(events).toEqual(["LinkError: the socket failed", "stopped"]);
  expect(broker.addresses).toEqual([]);
});

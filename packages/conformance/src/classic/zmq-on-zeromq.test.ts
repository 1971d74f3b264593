// The adapter that stands in for zmq 2.x: what the original relies on and zeromq 6 does differently.

import { createRequire } from "node:module";
import { afterEach, expect, test } from "vitest";

interface Socket {
  identity: string;
  readonly last_endpoint: string;
  readonly _zmq: { readonly state: number };
  on(event: "message", listener: (...frames: Buffer[]) => void): Socket;
  connect(address: string): Socket;
  bind(address: string, callback: (error?: Error) => void): Socket;
  unbind(address: string, callback: (error?: Error) => void): Socket;
  subscribe(filter: string): Socket;
  setsockopt(option: string, value: number): Socket;
  send(message: unknown): Socket;
  close(): Socket;
}

interface Zmq {
  readonly STATE_CLOSED: number;
  socket(type: "dealer" | "router" | "pub" | "sub"): Socket;
}

const zmq: Zmq = createRequire(import.meta.url)("../../classic/zmq-on-zeromq/index.js");

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) {
    if (socket._zmq.state !== zmq.STATE_CLOSED) socket.close();
  }
});

function open(type: Parameters<typeof zmq.socket>[0]): Socket {
  const socket = zmq.socket(type);
  socket.setsockopt("linger", 1);
  sockets.push(socket);
  return socket;
}

function bind(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => socket.bind(address, (error) => (error ? reject(error) : resolve())));
}

/** A ROUTER on a free port with a DEALER of the given identity. */
async function pair(identity: string): Promise<{ router: Socket; dealer: Socket }> {
  const router = open("router");
  const dealer = open("dealer");
  await bind(router, "tcp://127.0.0.1:*");
  dealer.identity = identity;
  dealer.connect(router.last_endpoint);
  return { router, dealer };
}

/** The next `count` messages of a socket, each as the text of its frames. */
function messages(socket: Socket, count: number): Promise<string[][]> {
  return new Promise((resolve) => {
    const seen: string[][] = [];
    socket.on("message", (...frames) => {
      seen.push(frames.map(String));
      if (seen.length === count) resolve(seen);
    });
  });
}

test("the adapter sends every frame that is not a Buffer as text", async () => {
  const { router, dealer } = await pair("d");
  const received = messages(router, 2);
  dealer.send(["C", 4, undefined, null, Buffer.from("bytes")]).send("alone");
  expect(await received).toEqual([
    ["d", "C", "4", "undefined", "null", "bytes"],
    ["d", "alone"],
  ]);
});

test("a socket takes messages while it is still binding", async () => {
  const bound = open("dealer");
  const binding = bind(bound, "tcp://127.0.0.1:*");
  bound.send("early");
  await binding;
  const connected = open("router");
  const received = messages(connected, 1);
  connected.connect(bound.last_endpoint);
  expect((await received).map((frames) => frames.at(-1))).toEqual(["early"]);
});

test("an address that was unbound can be bound again, and a bound one reports an error", async () => {
  const { router, dealer } = await pair("d");
  const address = router.last_endpoint;
  await expect(bind(open("router"), address)).rejects.toMatchObject({ code: "EADDRINUSE" });
  const received = messages(router, 1);
  dealer.send("traffic while unbinding");
  await received;
  const failure = await new Promise((resolve) => router.unbind(address, resolve));
  expect(failure).toBeUndefined();
  router.close();
});

test("a socket reports when it is closed, and emits nothing afterwards", async () => {
  const { router, dealer } = await pair("d");
  const seen: string[] = [];
  router.on("message", (_identity, text) => {
    seen.push(String(text));
    router.close();
  });
  const witness = await pair("w");
  const witnessed = messages(witness.router, 1);
  expect(router._zmq.state).not.toBe(zmq.STATE_CLOSED);
  dealer.send("one").send("two").send("three");
  witness.dealer.send("later");
  await witnessed;
  await expect.poll(() => router._zmq.state).toBe(zmq.STATE_CLOSED);
  expect(seen).toEqual(["one"]);
});

test("a PUB socket accepts an identity and publishes to subscribers", async () => {
  const publisher = open("pub");
  publisher.identity = "broker/pub";
  await bind(publisher, "tcp://127.0.0.1:*");
  const subscriber = open("sub");
  subscriber.subscribe("$dir");
  subscriber.connect(publisher.last_endpoint);
  const received = messages(subscriber, 1);
  // A subscription takes a moment to reach the publisher. Messages published before that are lost.
  await expect
    .poll(() => {
      publisher.send("$dir {}");
      return Promise.race([received, undefined]);
    })
    .toEqual([["$dir {}"]]);
});

// Secured links without peers: the behavior of the transport.

import { once } from "node:events";
import { connect } from "node:net";
import { Inbox } from "@pigato/testkit";
import {
  type ConnectionRejection,
  LinkError,
  libzmq,
  newCurveKeyPair,
  PeerSecurity,
  ServerSecurity,
} from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import { LOOPBACK } from "../support/start.ts";

const server = newCurveKeyPair();
const security = new ServerSecurity(server, undefined);
const peer = new PeerSecurity({ curve: { serverKey: server.publicKey, ...newCurveKeyPair() } });

test("a silent connection is closed when its handshake times out, and reported", async () => {
  const rejections = new Inbox<ConnectionRejection>();
  const router = libzmq.router(
    { onMessage() {}, onRejected: (rejection) => rejections.add(rejection) },
    { security, limits: { handshakeTimeoutMs: 50 } },
  );
  onTestFinished(() => router.close(0));
  const address = await router.bind(LOOPBACK);
  const socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.resume();
  await once(socket, "end");
  expect(await rejections.take()).toMatchObject({ code: "HANDSHAKE_TIMEOUT", localAddress: address });
});

test("an inproc address cannot be secured and is rejected", async () => {
  const router = libzmq.router({ onMessage() {} }, { security });
  const publisher = libzmq.publisher({}, { security });
  const dealer = libzmq.dealer({ onMessage() {} }, { routingId: "a", security: peer });
  const subscriber = libzmq.subscriber({ onMessage() {} }, { security: peer });
  for (const link of [router, publisher, dealer, subscriber]) onTestFinished(() => link.close());
  const invalid = { code: "ADDRESS_INVALID", address: "inproc://x" };
  await expect(router.bind("inproc://x")).rejects.toMatchObject(invalid);
  await expect(publisher.bind("inproc://x")).rejects.toMatchObject(invalid);
  expect(() => dealer.connect("inproc://x")).toThrow(LinkError);
  expect(() => subscriber.connect("inproc://x")).toThrow(LinkError);
});

test("a subscription of the maximum length is accepted with CURVE", async () => {
  const topic = "x".repeat(1024);
  const publisher = libzmq.publisher({}, { security });
  onTestFinished(() => publisher.close());
  const address = await publisher.bind(LOOPBACK);
  publisher.publish([Buffer.from(`${topic}!`)]);
  const received = new Promise<string>((resolve) => {
    const subscriber = libzmq.subscriber({ onMessage: ([frame]) => resolve(String(frame)) }, { security: peer });
    onTestFinished(() => subscriber.close());
    subscriber.subscribe(topic);
    subscriber.connect(address);
  });
  expect(await received).toBe(`${topic}!`);
});

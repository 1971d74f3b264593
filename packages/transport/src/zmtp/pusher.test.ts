// A pusher with pullers of any kind.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Pull } from "zeromq";
import { encodeMetadata } from "./metadata.ts";
import { ZmtpPusher } from "./pusher.ts";
import { encodeCommand, encoded, encodeGreeting, encodeReady } from "./testing/encoded.ts";
import { RawListener } from "./testing/raw-peer.ts";

const frame = (text: string) => Buffer.from(text);

test("what is pushed before a puller listens arrives in order, at a PULL of libzmq", async () => {
  const pull = new Pull();
  onTestFinished(() => pull.close());
  const address = `ipc://${join(tmpdir(), `pigato-pusher-${process.pid}.sock`)}`;
  const pusher = new ZmtpPusher();
  pusher.connect(address);
  expect(pusher.send([frame("1")])).toBe("queued");
  expect(pusher.send([frame("2"), frame("more")])).toBe("queued");
  await pull.bind(address);
  expect((await pull.receive()).map(String)).toEqual(["1"]);
  expect((await pull.receive()).map(String)).toEqual(["2", "more"]);
  pusher.send([frame("last")]);
  await pusher.close();
  expect((await pull.receive()).map(String)).toEqual(["last"]);
  expect(pusher.send([frame("late")])).toBe("congested");
});

test("it introduces itself as PUSH, sends no PING, and rejects a socket that does not pull", async () => {
  const listener = new RawListener();
  onTestFinished(() => listener.close());
  const rejected: string[] = [];
  let onRejected = () => {};
  const pusher = new ZmtpPusher({
    onRejected({ code }) {
      rejected.push(code);
      onRejected();
    },
  });
  onTestFinished(() => pusher.close(0));
  pusher.connect(await listener.listen());
  const router = await listener.next();
  const wasRejected = new Promise<void>((resolve) => {
    onRejected = resolve;
  });
  router.write(encodeGreeting(), encodeReady("ROUTER", ""));
  await Promise.all([wasRejected, router.closed]);
  expect(rejected).toEqual(["INCOMPATIBLE"]);
  const pull = await listener.next();
  pull.write(encodeGreeting(), encodeReady("PULL", ""));
  await pull.expect(
    encodeCommand("READY", encodeMetadata({ socketType: "PUSH", routingId: "", retriesAfterError: true })),
  );
  pusher.send([frame("1")]);
  await pull.expect(encoded([[frame("1")]]));
});

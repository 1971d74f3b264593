// `conf` of the `pigato` package, as the original's README describes it: listeners are called, and names are kept.

import PIGATO from "pigato";
import { expect, onTestFinished, test } from "vitest";

test("a broker has the name in its conf, or a generated one", () => {
  expect(new PIGATO.Broker("inproc://named").conf.name).toMatch(/^B.+/);
  expect(new PIGATO.Broker("inproc://named", { name: "B-1" }).conf.name).toBe("B-1");
});

test("the listeners in conf are called, onDisconnnect with three n too", async () => {
  const received: string[] = [];
  const hear = (name: string) => ({ [name]: () => received.push(name) });
  const broker = new PIGATO.Broker("tcp://127.0.0.1:*", hear("onStart"));
  await new Promise<void>((resolve) => broker.start(() => resolve()));
  onTestFinished(() => broker.stop());
  expect(received).toEqual(["onStart"]);
  const [address = ""] = broker.addresses;

  for (const peer of [
    new PIGATO.Worker(address, "echo", { ...hear("onConnect"), ...hear("onDisconnnect") }),
    new PIGATO.Client(address, { ...hear("onConnect"), ...hear("onDisconnnect") }),
  ]) {
    received.length = 0;
    const connected = new Promise<void>((resolve) => peer.on("connect", resolve));
    peer.start();
    await connected;
    peer.stop();
    expect(received).toEqual(["onConnect", "onDisconnnect"]);
  }
});

// Majordomo 0.2 peers (RFC 18) on raw sockets with our broker: zmq-omdp promised to support them.

import { expect, test } from "vitest";
import { connectRawPeer, startBroker } from "../support/start.ts";

test("a client and a worker of MDP 0.2 exchange a request, its partials and its final reply through the broker", async () => {
  const { address } = await startBroker();
  const worker = connectRawPeer(address, "worker");
  const client = connectRawPeer(address, "client");

  await worker.send("MDPW02", "\u0001", "echo");
  await client.send("MDPC02", "\u0001", "echo", "hello");
  const [, , sender = "", empty, body] = await worker.receive("MDPW02", "\u0002");
  expect([empty, body]).toEqual(["", "hello"]);

  await worker.send("MDPW02", "\u0003", sender, "", "a part");
  await worker.send("MDPW02", "\u0004", sender, "", "the end");
  expect(await client.receive("MDPC02", "\u0002")).toEqual(["MDPC02", "\u0002", "echo", "a part"]);
  expect(await client.receive("MDPC02", "\u0003")).toEqual(["MDPC02", "\u0003", "echo", "the end"]);
});

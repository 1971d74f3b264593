// Prints whether the package `zeromq` was loaded: by a message there and back at an address (`link ADDRESS`), or by a broker,
// core services, a worker and a client together (`services [CHANNEL]`).

import { createRequire } from "node:module";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { CoreService } from "@pigato/core-service";
import { Directory } from "@pigato/directory";
import { automatic } from "@pigato/transport";
import { Worker } from "@pigato/worker";
import { message } from "./frames.ts";

const [program, argument] = process.argv.slice(2);
if (program === "link") await exchange(argument ?? "");
else await serve(argument);

const modules = Object.keys(createRequire(import.meta.url).cache);
console.log(modules.some((path) => path.includes("/zeromq/")) ? "loaded" : "not loaded");
if (process.connected) process.disconnect();

async function exchange(bind: string): Promise<void> {
  const router = automatic.router({ onMessage: (peer, frames) => router.send(peer, frames) });
  const address = await router.bind(bind);
  await new Promise<void>((resolve) => {
    const dealer = automatic.dealer({ onMessage: () => resolve(dealer.close()) }, { routingId: "d" });
    dealer.connect(address);
    dealer.send(message("there and back"));
  });
  await router.close();
}

async function serve(channel?: string): Promise<void> {
  const broker = new Broker("tcp://127.0.0.1:*", channel === undefined ? {} : { intch: channel });
  await broker.start();
  const [address = ""] = broker.addresses;
  const intch = String(broker.conf.intch);
  const worker = new Worker(address, "greet");
  const directory = new Directory(address, { intch });
  const counter = new CoreService(address, "$count", {
    intch,
    onRequest: (_data, reply, services) => reply.end(services.size),
  });
  await Promise.all([worker.start(), directory.start(), counter.start()]);
  const client = new Client(address);
  await client.start();
  // The last peer to join may be announced a moment later.
  const expected = JSON.stringify([[worker.socketId], 3]);
  for (let known = ""; known !== expected; ) {
    known = JSON.stringify([await client.call("$dir", "greet"), await client.call("$count")]);
  }
  await Promise.all([client, worker, directory, counter].map((peer) => peer.stop()));
  await broker.stop();
}

// Says whether a broker with the internal channel on its command line, core services, a worker and a client together made it
// load the package `zeromq`.

import { createRequire } from "node:module";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { CoreService } from "@pigato/core-service";
import { Directory } from "@pigato/directory";
import { Worker } from "@pigato/worker";

const channel = process.argv[2];
const broker = new Broker("tcp://127.0.0.1:*", channel === undefined ? {} : { intch: channel });
await broker.start();
const [address = ""] = broker.addresses;
const intch = String(broker.conf.intch);

const worker = new Worker(address, "greet");
const directory = new Directory(address, { intch });
const counter = new CoreService(address, "$count", { intch }, (_data, reply, services) => reply.end(services.size));
await Promise.all([worker.start(), directory.start(), counter.start()]);
const client = new Client(address);
await client.start();
// What joined last may be announced a moment later.
const expected = JSON.stringify([[worker.socketId], 3]);
for (let known = ""; known !== expected; ) {
  known = JSON.stringify([await client.call("$dir", "greet"), await client.call("$count")]);
}
await Promise.all([client, worker, directory, counter].map((peer) => peer.stop()));
await broker.stop();

const modules = Object.keys(createRequire(import.meta.url).cache);
process.stdout.write(modules.some((path) => path.includes("/zeromq/")) ? "loaded" : "not loaded");

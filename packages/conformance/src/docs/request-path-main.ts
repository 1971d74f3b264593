// Prints the source files in which a function runs in the broker's process while one request passes: from the socket of the
// client to the socket of the worker, and back. One path from the root of the workspace per line. The client and the worker
// are in a process of their own, which is this file with the broker's address as its argument.

import { fork } from "node:child_process";
import { once } from "node:events";
import { Session } from "node:inspector/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
/** Only the request runs while coverage is recorded. */
const QUIET = { heartbeat: 60_000 };

const [, , address] = process.argv;
await (address === undefined ? watch() : serve(address));

async function watch(): Promise<void> {
  const broker = new Broker("tcp://127.0.0.1:*", { ...QUIET, intch: false });
  await broker.start();
  const peers = fork(import.meta.filename, [...broker.addresses]);
  await once(peers, "message");

  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  peers.send("request");
  await once(peers, "message");
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();

  peers.send("stop");
  await once(peers, "exit");
  await broker.stop();

  const files = result
    .filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
    .filter(({ url }) => url.startsWith("file:"))
    .map(({ url }) => relative(ROOT, fileURLToPath(url)))
    .filter((file) => file.startsWith("packages/") && !file.startsWith("packages/conformance/"));
  console.log([...new Set(files)].sort().join("\n"));
}

async function serve(broker: string): Promise<void> {
  const worker = new Worker(broker, "echo", QUIET);
  worker.on("request", (data, reply) => reply.end(data));
  await worker.start();
  const client = new Client(broker, QUIET);
  await client.start();
  await client.call("echo", "warm");

  process.on("message", async (word) => {
    if (word === "request") {
      await client.call("echo", "watched");
      process.send?.("replied");
    } else {
      await client.stop();
      await worker.stop();
      process.disconnect();
    }
  });
  process.send?.("ready");
}

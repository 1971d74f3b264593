// The process behind `WorkerProcess`: echoes what it is sent, a turn of the event loop later.

import { Worker } from "@pigato/worker";
import type { WorkerSettings } from "./worker-process.ts";

const { address, service, holds = false, ...options }: WorkerSettings = JSON.parse(process.argv[2] ?? "{}");
const worker = new Worker(address, service, options);

worker.on("request", (data, reply) => {
  if (!holds) setImmediate(() => reply.end(data));
});

await worker.start();
process.send?.("ready");

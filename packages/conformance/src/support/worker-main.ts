// The program behind `spawnWorker`: replies with the data of the request, one turn of the event loop later.

import { serve, settingsText } from "@pigato/testkit/serve";
import { Worker } from "@pigato/worker";
import type { WorkerSettings } from "./spawn.ts";

const { address, service, holds = false, ...options }: WorkerSettings = JSON.parse(settingsText());
const worker = new Worker(address, service, options);

worker.on("request", (data, reply) => {
  if (!holds) setImmediate(() => reply.end(data));
});

await worker.start();
serve({});

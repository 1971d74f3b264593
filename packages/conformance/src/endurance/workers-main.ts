// The workers of an endurance run: several for each service, which reply, stream, fail, stay silent, and restart.

import { serve, settingsText } from "@pigato/testkit/serve";
import { type Reply, Worker } from "@pigato/worker";

const { address, perService, heartbeat }: { address: string; perService: number; heartbeat: number } = JSON.parse(
  settingsText(),
);

type Handler = (data: unknown, reply: Reply) => unknown;

const SERVICES: Readonly<Record<string, Handler>> = {
  echo: (data, reply) => reply.end(data),
  cached: (data, reply) => {
    reply.opts.cache = 1_000;
    reply.end(data);
  },
  stream: (count, reply) => {
    for (let part = 0; part < Number(count); part++) reply.write(part);
    reply.end("end");
  },
  endless: async (_data, reply) => {
    for (let part = 0; reply.active(); part++) {
      reply.write(part);
      await new Promise(setImmediate);
    }
  },
  silent: () => {},
  failing: () => {
    throw new Error("as it should");
  },
  moody: (data, reply) => (Math.random() < 0.5 ? reply.reject() : reply.end(data)),
};

const running: [service: string, worker: Worker][] = [];

async function start(service: string, handler: Handler): Promise<void> {
  const worker = new Worker(address, service, { heartbeat, concurrency: 50, stopTimeoutMs: 50, reconnect: 100 });
  worker.on("request", handler);
  await worker.start();
  running.push([service, worker]);
}

for (let copy = 0; copy < perService; copy++) {
  for (const [service, handler] of Object.entries(SERVICES)) await start(service, handler);
}

serve({
  /** Replaces this many workers, the oldest first. */
  replace: async (count) => {
    for (let one = 0; one < Number(count); one++) {
      const [service = "", worker] = running.shift() ?? [];
      await start(service, SERVICES[service] ?? (() => {}));
      await worker?.stop();
    }
  },
});

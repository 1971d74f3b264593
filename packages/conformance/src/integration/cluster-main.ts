// A `node:cluster` whose processes start a broker each, one after the other, at the address that the program is given. The second one
// starts where the first one is bound. The program reports what became of each.

import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { once } from "node:events";
import { Broker } from "@pigato/broker";
import { serve, settingsText } from "@pigato/testkit/serve";

interface Start {
  readonly address?: string;
  readonly code?: string;
}

if (cluster.isPrimary) {
  serve({
    async start() {
      const first = await startIn(cluster.fork(), settingsText());
      const second = await startIn(cluster.fork(), first.address ?? "");
      const third = await startIn(cluster.fork(), settingsText());
      return [first, second, third];
    },
  });
} else {
  process.once("message", (address) => void start(String(address)));
  process.send?.("ready");
}

async function startIn(worker: ClusterWorker, address: string): Promise<Start> {
  await once(worker, "message");
  worker.send(address);
  const [result]: Start[] = await once(worker, "message");
  return result ?? {};
}

async function start(address: string): Promise<void> {
  const broker = new Broker(address, { intch: false });
  try {
    await broker.start();
    process.send?.({ address: broker.addresses[0] });
  } catch (error) {
    process.send?.({ code: typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined });
  }
}

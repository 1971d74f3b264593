// A broker in a process of its own: tells where it listens, and then, whenever asked, the CPU time it has used so far, in
// microseconds.

import { Broker } from "@pigato/broker";
import { zmtp } from "@pigato/transport";

const broker = new Broker("tcp://127.0.0.1:*", {
  transport: zmtp,
  intch: false,
  maxQueuedPerService: 10_000_000,
  maxRequestsPerClient: 10_000_000,
});
await broker.start();
process.send?.(broker.addresses[0]);

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on("disconnect", () => process.exit());

// A broker in a process of its own: tells where it listens, and then, whenever asked, the CPU time it has used so far, in
// microseconds. Told "dialects", it has a bind for each that needs one, and tells all of them.

import { Broker } from "@pigato/broker";
import { zmtp } from "@pigato/transport";

const ANYWHERE = "tcp://127.0.0.1:*";
const hasDialects = process.argv[2] === "dialects";
const binds = [ANYWHERE, { address: ANYWHERE, dialect: "omdp" }, { address: ANYWHERE, dialect: "butler" }] as const;

const broker = new Broker(hasDialects ? binds : ANYWHERE, {
  transport: zmtp,
  intch: false,
  ...(hasDialects ? { heartbeat: 60_000 } : {}),
  maxQueuedPerService: 10_000_000,
  maxRequestsPerClient: 10_000_000,
});
await broker.start();
process.send?.(hasDialects ? broker.addresses : broker.addresses[0]);

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on("disconnect", () => process.exit());

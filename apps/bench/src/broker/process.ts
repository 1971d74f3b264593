// A broker in its own process. It reports its address, and its CPU time in microseconds for every message of its parent. With
// the argument "dialects" it binds an address for each dialect that needs one, and reports all addresses.

import { Broker } from "@pigato/broker";
import { zmtp } from "@pigato/transport";
import { serve } from "../children.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const hasDialects = process.argv[2] === "dialects";
const binds = [ANY_PORT, { address: ANY_PORT, dialect: "omdp" }, { address: ANY_PORT, dialect: "butler" }] as const;

const broker = new Broker(hasDialects ? binds : ANY_PORT, {
  transport: zmtp,
  intch: false,
  ...(hasDialects ? { heartbeat: 60_000 } : {}),
  maxQueuedPerService: 10_000_000,
  maxRequestsPerClient: 10_000_000,
});
await broker.start();

serve(() => {
  const { user, system } = process.cpuUsage();
  return user + system;
});
process.send?.(hasDialects ? broker.addresses : broker.addresses[0]);

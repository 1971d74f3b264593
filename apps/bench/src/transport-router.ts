// The far end of a burst: a router that sends every message back.

import { wayCalled } from "./transport-links.ts";

const { transport, server } = wayCalled(process.argv[2]);
const router = transport.router({ onMessage: (peer, frames) => router.send(peer, frames) }, { security: server });
process.send?.(await router.bind("tcp://127.0.0.1:*"));

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ count: 0, seconds: 0, cpuMicros: user + system });
});
process.on("disconnect", () => process.exit());

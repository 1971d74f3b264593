// The echoing end of `pnpm bench transport`: a router that sends every message back. It reports its address, and its CPU time
// in microseconds for every message of its parent.

import { serve } from "../children.ts";
import { linkNamed } from "./links.ts";

const { transport, server } = linkNamed(process.argv[2]);
const router = transport.router({ onMessage: (peer, frames) => router.send(peer, frames) }, { security: server });
const address = await router.bind("tcp://127.0.0.1:*");

serve(() => {
  const { user, system } = process.cpuUsage();
  return user + system;
});
process.send?.(address);

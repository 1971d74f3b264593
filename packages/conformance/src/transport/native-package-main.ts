// Says whether a message there and back, at the address on its command line, made it load the package `zeromq`.

import { createRequire } from "node:module";
import { automatic } from "@pigato/transport";
import { message } from "./frames.ts";

const router = automatic.router({ onMessage: (peer, frames) => router.send(peer, frames) });
const address = await router.bind(process.argv[2] ?? "");
await new Promise<void>((resolve) => {
  const dealer = automatic.dealer({ onMessage: () => resolve(dealer.close()) }, { routingId: "d" });
  dealer.connect(address);
  dealer.send(message("there and back"));
});
await router.close();

const modules = Object.keys(createRequire(import.meta.url).cache);
process.stdout.write(modules.some((path) => path.includes("/zeromq/")) ? "loaded" : "not loaded");

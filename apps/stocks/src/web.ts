// The web front. Usage: node dist/web.js [address of the broker, default tcp://localhost:55555]
//   --port N               default 8080; 0 is any free one
//   --host NAME            default 127.0.0.1: only this machine can see it

import { parseArgs } from "node:util";
import { Client } from "@pigato/client";
import { createFront } from "./front.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string", default: "8080" }, host: { type: "string", default: "127.0.0.1" } },
});

// Charts drawn at a time; the next one is told to wait.
const client = new Client(positionals[0] ?? "tcp://localhost:55555", { maxOpenRequests: 200 });
const front = createFront(client);
await client.start();
console.log(`ready at ${await front.listen({ host: values.host, port: Number(values.port) })}`);

process.once("SIGTERM", stop);
process.once("SIGINT", stop);

async function stop(): Promise<void> {
  await front.close();
  await client.stop();
}

// The web server. Usage: node dist/web.js [address of the broker, default tcp://localhost:55555]
//   --port N               default 8080; 0 selects a free port
//   --host NAME            default 127.0.0.1, which only this machine can reach

import { parseArgs } from "node:util";
import { Client } from "@pigato/client";
import { createWebServer } from "./web-server.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string", default: "8080" }, host: { type: "string", default: "127.0.0.1" } },
});

// Charts at a time; one more fails with BUSY.
const client = new Client(positionals[0] ?? "tcp://localhost:55555", { maxOpenRequests: 200 });
const webServer = createWebServer(client);

process.once("SIGTERM", stop);
process.once("SIGINT", stop);

try {
  await client.start();
  console.log(`ready at ${await webServer.listen({ host: values.host, port: Number(values.port) })}`);
} catch (error) {
  // A signal came before a broker answered.
  if (!isClosed(error)) throw error;
}

async function stop(): Promise<void> {
  await webServer.close();
  await client.stop();
}

function isClosed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "CLOSED";
}

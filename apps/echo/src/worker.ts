// Serves the contract. Usage: node dist/worker.js [address, default tcp://localhost:55555]

import { Host } from "@pigato/service";
import { echo } from "./contract.ts";

const host = new Host(process.argv[2] ?? "tcp://localhost:55555");

host.serve(echo, {
  say: (data) => data,
  repeat: async function* ({ text, times }) {
    for (let time = 1; time <= times; time++) yield `${text} ${time}`;
  },
});

process.once("SIGTERM", () => host.stop());
process.once("SIGINT", () => host.stop());

try {
  const starting = host.start();
  console.log("connecting");
  await starting;
  console.log('ready to serve "echo"');
} catch (error) {
  // A signal came before a broker answered.
  if (!isClosed(error)) throw error;
}

function isClosed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "CLOSED";
}

// A worker that replies with the data of the request. Usage: node dist/worker.js [address, default tcp://localhost:55555]
// For `{ repeat: n, text }` it streams the text n times before the final reply.

import { Worker } from "@pigato/worker";

const worker = new Worker(process.argv[2] ?? "tcp://localhost:55555", "echo");

worker.on("request", (data, reply) => {
  if (isRepeat(data)) for (let part = 1; part <= data.repeat; part++) reply.write(`${data.text} ${part}`);
  reply.end(data);
});

process.once("SIGTERM", () => worker.stop());
process.once("SIGINT", () => worker.stop());

worker.once("connecting", () => console.log("connecting"));
try {
  await worker.start();
  console.log('ready to serve "echo"');
} catch (error) {
  // A signal came before a broker answered.
  if (!isClosed(error)) throw error;
}

function isRepeat(data: unknown): data is { readonly repeat: number; readonly text: string } {
  return typeof data === "object" && data !== null && "repeat" in data && typeof data.repeat === "number";
}

function isClosed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "CLOSED";
}

// A client in a process that has taken all of its file descriptors but a few. It writes what its user sees. A line on stdin frees the
// descriptors, and then it calls "echo".

import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Client } from "@pigato/client";
import type { TransportName } from "@pigato/transport";

interface Settings {
  readonly address: string;
  readonly transport?: TransportName;
  /** File descriptors that are left. */
  readonly left?: number;
}

const { address, transport, left = 0 }: Settings = JSON.parse(process.argv[2] ?? "");
const lines = createInterface(process.stdin);
const files: number[] = [];
/** Node may close files that it opened to load this program. */
const taking = setInterval(take, 1);
take();
for (const file of files.splice(0, left)) closeSync(file);
if (left > 0) clearInterval(taking);
console.log(`${files.length} files`);

function take(): void {
  try {
    for (;;) files.push(openSync("/dev/null", "r"));
  } catch {
    // All are taken.
  }
}

process.on("warning", ({ message }) => console.log(`warning: ${message}`));
const client = new Client(address, { reconnect: 100, reconnectMaxMs: 200, ...(transport && { transport }) });
client.start().then(
  () => console.log("connected"),
  (error: unknown) => console.log(`start failed: ${error}`),
);

lines.once("line", () => {
  clearInterval(taking);
  for (const file of files) closeSync(file);
  client.call<string>("echo", "hi", { timeout: 20_000 }).then(
    (reply) => console.log(`reply: ${reply}`),
    (error: unknown) => console.log(`call failed: ${error}`),
  );
});

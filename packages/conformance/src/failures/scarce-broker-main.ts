// A broker in a process that takes all of its file descriptors. It writes the address, then each connection that it rejects. A line on
// stdin frees the descriptors.

import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Broker } from "@pigato/broker";

const broker = new Broker("tcp://127.0.0.1:*");
broker.on("connection:rejected", ({ code, localAddress, detail }) =>
  console.log(`rejected ${code} ${localAddress} ${detail}`),
);
await broker.start();
console.log(broker.addresses[0]);

const files: number[] = [];
/** Node may close files that it opened to load this program. */
const taking = setInterval(take, 1);
take();
console.log(`${files.length} files`);

function take(): void {
  try {
    for (;;) files.push(openSync("/dev/null", "r"));
  } catch {
    // All are taken.
  }
}

createInterface(process.stdin).once("line", () => {
  clearInterval(taking);
  for (const file of files) closeSync(file);
});

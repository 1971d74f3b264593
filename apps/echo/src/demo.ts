// Starts a broker, a worker and a client as three processes, prints their output, and exits when the client is done.

import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { createInterface, type Interface } from "node:readline";

const signal = AbortSignal.timeout(60_000);

const broker = start("broker", "tcp://127.0.0.1:*");
const [, address = ""] = await line(broker, /ready at (\S+)/);
const worker = start("worker", address);
await line(worker, /ready/);
const client = start("client", address);
const [exitCode] = await once(client.child, "exit", { signal });

for (const { child } of [worker, broker]) {
  child.kill("SIGTERM");
  await once(child, "exit", { signal });
}
console.log(exitCode === 0 ? "demo done" : `demo failed: the client exited with ${exitCode}`);
process.exitCode = exitCode === 0 ? 0 : 1;

interface Running {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

function start(name: string, argument: string): Running {
  // Beside this file, compiled or not.
  const file = import.meta.filename.replace(/demo(?=\.[jt]s$)/, name);
  const child = spawn(process.execPath, [...process.execArgv, file, argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill());
  const lines = createInterface(child.stdout);
  lines.on("line", (text) => console.log(`${name.padEnd(6)} | ${text}`));
  return { child, lines };
}

/** @returns the first line that matches; rejects if the process exits first */
async function line({ lines }: Running, pattern: RegExp): Promise<RegExpExecArray> {
  for await (const [text] of on(lines, "line", { signal, close: ["close"] })) {
    const match = pattern.exec(text);
    if (match) return match;
  }
  throw new Error(`a process exited before it was ready: no line matched ${pattern}`);
}

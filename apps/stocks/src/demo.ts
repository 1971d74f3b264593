// Starts a broker, a worker and the web server as three processes and prints their output, until Ctrl-C.
// Usage: node dist/demo.js; the web server gets the arguments, for example --port 3000

import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { createInterface, type Interface } from "node:readline";

interface Running {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

const started: Running[] = [];
const READY_MS = 60_000;

const broker = start("broker", "tcp://127.0.0.1:*");
const [, address = ""] = await line(broker, /ready at (\S+)/);
// Slow enough to watch the chart grow.
await line(start("worker", address, "--rows-per-second", "400"), /ready/);
const [, page = ""] = await line(start("web", address, ...process.argv.slice(2)), /ready at (\S+)/);
console.log(`\nOpen ${page} in a browser. Ctrl-C ends the demo.\n`);

// Ctrl-C in a terminal reaches all processes; a signal from another process reaches only this one.
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

function start(name: string, ...args: readonly string[]): Running {
  // Beside this file, compiled or not.
  const file = import.meta.filename.replace(/demo(?=\.[jt]s$)/, name);
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill());
  const lines = createInterface(child.stdout);
  lines.on("line", (text) => console.log(`${name.padEnd(6)} | ${text}`));
  const running = { child, lines };
  started.push(running);
  return running;
}

/** @returns the first line that matches; rejects if the process exits first */
async function line({ lines }: Running, pattern: RegExp): Promise<RegExpExecArray> {
  for await (const [text] of on(lines, "line", { signal: AbortSignal.timeout(READY_MS), close: ["close"] })) {
    const match = pattern.exec(text);
    if (match) return match;
  }
  throw new Error(`a process exited before it was ready: no line matched ${pattern}`);
}

/** In reverse order: the broker last. */
async function stop(): Promise<void> {
  for (const { child } of started.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

// Brokers, workers and other peers as processes of their own. The caller ends them: they also run outside of tests.

import { fileURLToPath } from "node:url";
import { PeerProcess, RUN_SOURCES } from "@pigato/testkit/peer-process";

const BROKER = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const WORKER = new URL("./worker-main.ts", import.meta.url);

/** The `pigato-broker` command. */
export type BrokerProcess = PeerProcess & { readonly address: string };

export interface WorkerSettings {
  readonly address: string;
  readonly service: string;
  readonly heartbeat?: number;
  readonly reconnect?: number;
  readonly concurrency?: number;
  /** Keeps every request and never replies. */
  readonly holds?: boolean;
}

/** Runs the command with these arguments, on a free port unless they bind an address. Resolves when it is ready. */
export async function spawnBroker(...args: readonly string[]): Promise<BrokerProcess> {
  const bind = args.includes("--bind") ? [] : ["--bind", "tcp://127.0.0.1:*"];
  const process = PeerProcess.node(BROKER, [...bind, ...args]);
  const line = await process.ready(process.nextLine((text) => text.includes("ready at ")));
  const [, address = ""] = /ready at ([^\s,]+)/.exec(line) ?? [];
  return Object.assign(process, { address });
}

/** A worker that echoes. Resolves when it serves. */
export function spawnWorker(settings: WorkerSettings): Promise<PeerProcess> {
  return spawnPeer(WORKER, settings);
}

/** A program that calls `serve` of the testkit. Resolves when it does. */
export async function spawnPeer(
  program: URL,
  settings: object,
  nodeOptions: readonly string[] = [],
): Promise<PeerProcess> {
  const process = PeerProcess.node(fileURLToPath(program), [JSON.stringify(settings)], {
    nodeOptions: [...RUN_SOURCES, ...nodeOptions],
  });
  await process.ready(process.receive());
  return process;
}

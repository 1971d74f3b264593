// Brokers, workers and other peers as processes of their own. The caller ends them: they also run outside of tests.

import { fileURLToPath } from "node:url";
import type { BrokerOptions } from "@pigato/broker";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { type NodeProgramOptions, PeerProcess } from "@pigato/testkit/peer-process";
import type { WorkerOptions } from "@pigato/worker";

const BROKER = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const PEER = new URL("./peer-main.ts", import.meta.url);

/** The `pigato-broker` command. */
export type BrokerProcess = PeerProcess & { readonly address: string };

export interface WorkerSettings extends Pick<WorkerOptions, "heartbeat" | "reconnect" | "concurrency"> {
  readonly address: string;
  readonly service: string;
  /** Keeps every request and never replies. */
  readonly holds?: boolean;
}

export type PeerSettings =
  /** Performs the tasks `address` and `stats`. */
  | { readonly role: "broker"; readonly options: BrokerOptions }
  | ({ readonly role: "worker"; readonly options: WorkerOptions } & Omit<WorkerSettings, keyof WorkerOptions>)
  /** Sends one request and waits. */
  | {
      readonly role: "raw client";
      readonly address: string;
      readonly routingId: string;
      readonly frames: readonly string[];
    };

/** Runs the command with these arguments, on a free port unless they bind an address. Resolves when it is ready. */
export async function spawnBroker(...args: readonly string[]): Promise<BrokerProcess> {
  const bind = args.includes("--bind") ? [] : ["--bind", "tcp://127.0.0.1:*"];
  const process = PeerProcess.node(BROKER, [...bind, ...args]);
  const line = await process.ready(process.nextLine((text) => text.includes("ready at ")));
  const [, address = ""] = /ready at ([^\s,]+)/.exec(line) ?? [];
  return Object.assign(process, { address });
}

/** A worker that echoes. Resolves when it serves. */
export function spawnWorker({ address, service, holds = false, ...options }: WorkerSettings): Promise<PeerProcess> {
  return spawnPeer({ role: "worker", address, service, holds, options });
}

/** Resolves when the peer is ready. */
export function spawnPeer(settings: PeerSettings, options: NodeProgramOptions = {}): Promise<PeerProcess> {
  return spawnProgram(PEER, settings, options);
}

/** A program that calls `serve` of the testkit. Resolves when it does. */
export async function spawnProgram(
  program: URL,
  settings: object,
  options: NodeProgramOptions = {},
): Promise<PeerProcess> {
  const process = PeerProcess.node(fileURLToPath(program), [JSON.stringify(settings)], options);
  await process.ready(process.receive());
  return process;
}

/** A program in Python, which talks by lines. */
export function runPython(
  program: URL,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): PeerProcess {
  return PeerProcess.program(foreignPeers.python.path, [fileURLToPath(program), ...args], env);
}

/**
 * A socket on the libzmq that Debian ships, of another version than the one in the package `zeromq`.
 * @param kind one of those at the end of debian-peer.py
 * @param plain a username and a password; without them it uses NULL
 */
export function runDebianPeer(kind: string, address: string, plain: readonly string[] = []): PeerProcess {
  return runPython(new URL("../transport/debian-peer.py", import.meta.url), [kind, address, ...plain]);
}

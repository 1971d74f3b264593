// A file of raw chunks between a client and a worker, through a broker, each in its own process: whether it arrives unchanged, and the memory
// that each process needs for it. The short form is a test; `pnpm transfer` runs the long form.

import { setTimeout as pause } from "node:timers/promises";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { type BrokerProcess, spawnBroker, spawnProgram } from "../support/spawn.ts";
import type { File, Received, RoleSettings } from "./role-main.ts";

export const CHUNK_BYTES: number = 64 * 1024;

export interface Transfer {
  readonly broker: BrokerProcess;
  readonly worker: PeerProcess;
  readonly client: PeerProcess;
  close(): Promise<void>;
}

/** MiB above the idle process. */
export type Growth = Readonly<Record<"broker" | "worker" | "client", number>>;

export async function startTransfer(): Promise<Transfer> {
  const broker = await spawnBroker("--log-level", "fatal");
  const { address } = broker;
  const starting = Promise.all([spawnRole({ role: "worker", address }), spawnRole({ role: "client", address })]);
  const [worker, client] = await starting.catch(async (error: unknown) => {
    await broker.kill("SIGKILL");
    throw error;
  });
  return {
    broker,
    worker,
    client,
    async close() {
      await Promise.all([worker.kill(), client.kill(), broker.kill("SIGKILL")]);
    },
  };
}

/** Files, and measures the most memory that each process took meanwhile. */
export async function measured(
  { broker, worker, client }: Transfer,
  file: File,
): Promise<{ readonly received: Received; readonly growth: Growth }> {
  const processes = { broker, worker, client };
  const names = ["broker", "worker", "client"] as const;
  const idle = { broker: broker.residentMiB, worker: worker.residentMiB, client: client.residentMiB };
  const growth = { broker: 0, worker: 0, client: 0 };
  let isDone = false;
  const transferring = client.request<Received>("transfer", file).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    for (const name of names) growth[name] = Math.max(growth[name], processes[name].residentMiB - idle[name]);
    await pause(20);
  }
  return { received: await transferring, growth };
}

function spawnRole(settings: RoleSettings): Promise<PeerProcess> {
  return spawnProgram(new URL("./role-main.ts", import.meta.url), settings);
}

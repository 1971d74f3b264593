// A file of raw chunks from a worker to a client, through a broker, each in its own process: whether it arrives unchanged, and the memory
// that each process needs for it. The short form is a test; `pnpm transfer` runs the long form.

import { setTimeout as pause } from "node:timers/promises";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { type BrokerProcess, spawnBroker, spawnProgram } from "../support/spawn.ts";
import type { Download, Received, RoleSettings } from "./role-main.ts";

export const CHUNK_BYTES: number = 64 * 1024;

export interface Transfer {
  readonly broker: BrokerProcess;
  readonly sender: PeerProcess;
  readonly reader: PeerProcess;
  close(): Promise<void>;
}

/** MiB above the idle process. */
export type Growth = Readonly<Record<"broker" | "sender" | "reader", number>>;

export async function startTransfer(): Promise<Transfer> {
  const broker = await spawnBroker("--log-level", "fatal");
  const { address } = broker;
  const starting = Promise.all([spawnRole({ role: "sender", address }), spawnRole({ role: "reader", address })]);
  const [sender, reader] = await starting.catch(async (error: unknown) => {
    await broker.kill("SIGKILL");
    throw error;
  });
  return {
    broker,
    sender,
    reader,
    async close() {
      await Promise.all([sender.kill(), reader.kill(), broker.kill("SIGKILL")]);
    },
  };
}

/** Downloads, and measures the most memory that each process took meanwhile. */
export async function measured(
  { broker, sender, reader }: Transfer,
  wanted: Download,
): Promise<{ readonly received: Received; readonly growth: Growth }> {
  const processes = { broker, sender, reader };
  const names = ["broker", "sender", "reader"] as const;
  const idle = { broker: broker.residentMiB, sender: sender.residentMiB, reader: reader.residentMiB };
  const growth = { broker: 0, sender: 0, reader: 0 };
  let isDone = false;
  const downloading = reader.request<Received>("download", wanted).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    for (const name of names) growth[name] = Math.max(growth[name], processes[name].residentMiB - idle[name]);
    await pause(20);
  }
  return { received: await downloading, growth };
}

function spawnRole(settings: RoleSettings): Promise<PeerProcess> {
  return spawnProgram(new URL("./role-main.ts", import.meta.url), settings);
}

// `pnpm bench profile`: profiles PIGATO's client, broker and worker while requests are in flight, and shows the CPU per request
// by activity. It leaves out the profiler's own share, as far as that is visible.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRounds } from "./command-line.ts";
import { CASES, type Case } from "./compare/cases.ts";
import type { Role } from "./compare/peer.ts";
import { PeerProcesses } from "./compare/peer-processes.ts";
import { BASELINE, peerNamed } from "./compare/peers.ts";
import { profileTables } from "./page/profile-tables.ts";
import { ACTIVITIES, activityShares, type Profile } from "./profile/activities.ts";
import type { ProfileResult } from "./records/record-types.ts";
import { startRun } from "./records/run-info.ts";
import { printResult } from "./terminal.ts";

const CASE_NAMES = ["20 B × 1", "20 B × 100", "20 B × 1000"];
/** Time to start and warm up; the profile begins after it. */
const BEFOREHAND_MS = 4_000;

/** @param seconds per case */
export async function measureProfile(seconds: number): Promise<ProfileResult> {
  const costs: ProfileResult["costs"][number][] = [];
  for (const measured of CASES.filter(({ name }) => CASE_NAMES.includes(name))) {
    costs.push(...(await profileCase(measured, seconds)));
  }
  return { costs };
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const finishRun = startRun(commandLine);
  const result = await measureProfile(parseRounds(args, 10));
  printResult(profileTables(result), finishRun(), result);
}

async function profileCase(measured: Case, seconds: number): Promise<ProfileResult["costs"]> {
  const folder = mkdtempSync(join(tmpdir(), "pigato-profiles-"));
  const from = Date.now() + BEFOREHAND_MS;
  const saved = process.env.NODE_OPTIONS;
  process.env.PIGATO_PROFILES = folder;
  process.env.PIGATO_PROFILE_FROM = String(from);
  process.env.NODE_OPTIONS = `--import ${new URL("./profile/recorder.js", import.meta.url)}`;
  const processes = new PeerProcesses(peerNamed(BASELINE));
  try {
    await processes.start();
    await processes.sample(measured, Math.max(from - Date.now(), 0));
    const sample = await processes.sample(measured, seconds * 1_000);
    await processes.stop();
    if (sample === undefined) throw new Error(`cannot profile the case "${measured.name}"`);
    const shares = (role: Role) => activityShares(readProfile(join(folder, `${role}.json`)));
    const [client, broker, worker] = [shares("client"), shares("broker"), shares("worker")];
    const { cpuMicros } = sample;
    return ACTIVITIES.map((activity) => ({
      caseName: measured.name,
      activity,
      client: cpuMicros.client * (client.get(activity) ?? 0),
      broker: cpuMicros.broker * (broker.get(activity) ?? 0),
      worker: cpuMicros.worker * (worker.get(activity) ?? 0),
    }));
  } finally {
    await processes.stop();
    if (saved === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = saved;
    rmSync(folder, { recursive: true, force: true });
  }
}

function readProfile(file: string): Profile {
  return JSON.parse(readFileSync(file, "utf8"));
}

// Where does the time go? Profiles PIGATO's client, broker and worker while requests are in flight, and shows what one costs
// each of them, and for what: what stands in the way of being faster. The profiler's own share is left out, as far as it shows.
//
//   pnpm bench profile [seconds for each case, 10] [--page] [--machine <text>]

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CASES, type Case } from "./compare/cases.ts";
import { BASE, entryNamed } from "./compare/roster.ts";
import { type PlayerName, Troupe } from "./compare/troupe.ts";
import { profileTables } from "./page/profile-tables.ts";
import { type Profile, sharesOf, WORKS } from "./profile/shares.ts";
import { questionArguments } from "./question-arguments.ts";
import { observed } from "./records/circumstances.ts";
import type { ProfileRecord } from "./records/shapes.ts";
import { keepRecord, printTables } from "./show.ts";

const NAMES = ["20 B × 1", "20 B × 100", "20 B × 1000"];
/** What starting and warming up take; only what comes after is profiled. */
const BEFOREHAND_MS = 6_000;

const { rounds: seconds = 10, page, machine } = questionArguments();
const conclude = observed();
const costs: ProfileRecord["costs"][number][] = [];
for (const what of CASES.filter(({ name }) => NAMES.includes(name))) costs.push(...(await costsAt(what)));
const record: ProfileRecord = { circumstances: conclude(machine), costs };
printTables(profileTables(record), record);
if (page) await keepRecord("profile", record);

async function costsAt(what: Case): Promise<ProfileRecord["costs"]> {
  const folder = mkdtempSync(join(tmpdir(), "pigato-profiles-"));
  const from = Date.now() + BEFOREHAND_MS;
  process.env.PIGATO_PROFILES = folder;
  process.env.PIGATO_PROFILE_FROM = String(from);
  process.env.NODE_OPTIONS = `--import ${new URL("./profile/recorder.js", import.meta.url)}`;
  try {
    const troupe = new Troupe(entryNamed(BASE));
    await troupe.start();
    await troupe.visit(what, from - Date.now());
    const visit = await troupe.visit(what, seconds * 1_000);
    await troupe.stop();
    if (visit === undefined) throw new Error(`nothing was asked at ${what.name}`);
    const shares = (player: PlayerName) => sharesOf(readProfile(join(folder, `${player}.json`)));
    const [client, broker, worker] = [shares("client"), shares("broker"), shares("worker")];
    const { cpuMicros } = visit;
    return WORKS.map((work) => ({
      what: what.name,
      work,
      client: cpuMicros.client * (client.get(work) ?? 0),
      broker: cpuMicros.broker * (broker.get(work) ?? 0),
      worker: cpuMicros.worker * (worker.get(work) ?? 0),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readProfile(file: string): Profile {
  return JSON.parse(readFileSync(file, "utf8"));
}

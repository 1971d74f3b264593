// Node loads this module before a role process (`--import`). It profiles the process from the time in PIGATO_PROFILE_FROM, in
// milliseconds since 1970, until it exits, and writes the profile to the folder in PIGATO_PROFILES, named after the role.

import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";

const INTERVAL_MICROS = 250;
const [, , , role = "unknown"] = process.argv;
const session = new Session();

session.connect();
session.post("Profiler.enable");
session.post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROS });
setTimeout(() => session.post("Profiler.start"), Number(process.env.PIGATO_PROFILE_FROM) - Date.now()).unref();
process.on("exit", () => {
  session.post("Profiler.stop", (_error, { profile }) => {
    writeFileSync(join(process.env.PIGATO_PROFILES ?? ".", `${role}.json`), JSON.stringify(profile));
  });
});

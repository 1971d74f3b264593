// Loaded before anything else into a process that plays a role: profiles it from the time PIGATO_PROFILE_FROM, in milliseconds since
// 1970, to its end, and leaves the profile in the folder that PIGATO_PROFILES names, under the role's name.

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

// Compiles the page before a test uses it.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const APP = join(import.meta.dirname, "../..");
const TSC = join(APP, "../../node_modules/.bin/tsc");

export async function compilePage(): Promise<void> {
  const target = join(APP, "dist/page");
  mkdirSync(target, { recursive: true });
  const fresh = mkdtempSync(join(APP, "dist/page-"));
  try {
    await promisify(execFile)(TSC, ["-p", join(APP, "src/page"), "--outDir", fresh, "--composite", "false"]);
    // Atomically, because other tests may be reading the files.
    for (const name of readdirSync(fresh).filter((file) => file.endsWith(".js"))) {
      renameSync(join(fresh, name), join(target, name));
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

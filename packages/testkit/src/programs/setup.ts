// Vitest's global setup: bundles the programs once, before any test. Test processes and their children inherit the variable.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundlePrograms } from "./bundle-programs.ts";
import { BUNDLES, ROOT } from "./programs.ts";

const CACHE = join(ROOT, "node_modules/.cache");

/** @returns removes the bundles, as does the end of this process */
export default async function setup(project: TestProject): Promise<() => void> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "test-bundles-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  await bundlePrograms(folder);
  process.env[BUNDLES] = folder;
  // In watch mode.
  project.onTestsRerun(() => bundlePrograms(folder));
  return remove;
}

// How tests run programs of this repository in processes of their own: the bundles of bundle-programs.ts, or the sources where there
// are none, outside of Vitest.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../../../../", import.meta.url));
/** The environment variable with the folder of the bundles. Programs pass it on to those that they start. */
export const BUNDLES = "PIGATO_TEST_BUNDLES";

/** Node's options to run the sources of this repository. */
export const RUN_SOURCES: readonly string[] = [
  "--conditions=@pigato/source",
  "--import",
  createRequire(import.meta.url).resolve("tsx"),
];
const RUN_BUNDLES: readonly string[] = ["--enable-source-maps"];

/** Node's arguments that run a TypeScript program of this repository. */
export function argumentsFor(program: string): string[] {
  const bundle = bundleOf(program);
  return bundle === undefined ? [...RUN_SOURCES, program] : [...RUN_BUNDLES, bundle];
}

/** Node's options for programs that are not of this repository and import its packages, from the bundles if there are any. */
export function optionsForImports(): readonly string[] {
  return process.env[BUNDLES] === undefined ? RUN_SOURCES : RUN_BUNDLES;
}

/** @param source the path of a program or of a module that a package exports */
export function bundleOf(source: string): string | undefined {
  const folder = process.env[BUNDLES];
  if (folder === undefined) return undefined;
  const bundle = join(folder, bundleName(source));
  return existsSync(bundle) ? bundle : undefined;
}

/** Its path below the folder of the bundles. */
function bundleName(source: string): string {
  return relative(ROOT, source).replace(/\.ts$/, ".js");
}

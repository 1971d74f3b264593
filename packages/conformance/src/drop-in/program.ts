// A program written for npm pigato, run with the original or with ours; see classic/drop-in.cjs.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { optionsForImports } from "@pigato/testkit/programs";

export type LibraryName = "classic" | "ours";

const require = createRequire(import.meta.url);
const PRELOAD = fileURLToPath(new URL("../../classic/drop-in.cjs", import.meta.url));

/** Where the original has its examples and tests. */
export const ORIGINAL: string = dirname(require.resolve("pigato-classic/package.json"));

/** @param file below the original's folder */
export function runProgram(
  library: LibraryName,
  file: string,
  environment: Readonly<Record<string, string>>,
): PeerProcess {
  const options = library === "ours" ? optionsForImports() : [];
  const args = [...options, "--require", PRELOAD, join(ORIGINAL, file)];
  return PeerProcess.program(process.execPath, args, { PIGATO_LIBRARY: library, ...environment });
}

/** The next lines of a program's output: this many, or fewer if it exits. */
export async function nextLines(program: PeerProcess, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const line = await program.nextLine().catch(() => undefined);
    if (line === undefined) break;
    lines.push(line);
  }
  return lines;
}

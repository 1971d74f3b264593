// A program that was written for npm pigato, run on the original or on ours; see classic/drop-in.cjs.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { on } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export type LibraryName = "classic" | "ours";

const require = createRequire(import.meta.url);
const PRELOAD = fileURLToPath(new URL("../../classic/drop-in.cjs", import.meta.url));
const SOURCES = ["--conditions=@pigato/source", "--import", require.resolve("tsx")];

/** Where the original keeps its examples and tests. */
export const ORIGINAL: string = dirname(require.resolve("pigato-classic/package.json"));

export class Program {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: AsyncIterator<unknown[]>;

  /** @param file below the original's folder */
  constructor(library: LibraryName, file: string, environment: Readonly<Record<string, string>>, ...args: string[]) {
    const settings = library === "ours" ? SOURCES : [];
    this.#child = spawn(process.execPath, [...settings, "--require", PRELOAD, join(ORIGINAL, file), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PIGATO_LIBRARY: library, ...environment },
    });
    this.#lines = on(createInterface(this.#child.stdout), "line", { close: ["close"] });
  }

  /** The next lines that it prints, this many or as many as there are before it ends. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const next = await this.#lines.next();
      if (next.done) break;
      lines.push(String(next.value[0]));
    }
    return lines;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

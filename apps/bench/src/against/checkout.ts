// A commit of this repository in a folder of its own, installed and built, with the programs of today's benchmark beside it:
// they find that commit's packages where they would look for ours. All of it goes when it is closed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
/** The programs as they were built: `pnpm bench` builds them before it asks anything. */
const PROGRAMS = fileURLToPath(new URL("../../dist/", import.meta.url));
const PACKAGES = ["broker", "client", "transport", "worker"] as const;

export interface Checkout {
  /** In one line, the commit that it is. */
  readonly title: string;
  /** Of the program that plays a role. */
  readonly host: URL;
  close(): Promise<void>;
}

/** @throws (rejects) if there is no such commit, or it cannot be installed or built */
export async function checkOut(commit: string): Promise<Checkout> {
  const title = (await run("git", ["log", "-1", "--format=%h %s", `${commit}^{commit}`], ROOT)).trim();
  const parent = mkdtempSync(join(tmpdir(), "pigato-against-"));
  const folder = join(parent, "tree");
  const close = async (): Promise<void> => {
    await run("git", ["worktree", "remove", "--force", folder], ROOT).catch(() => {});
    rmSync(parent, { recursive: true, force: true, maxRetries: 3 });
    // Where it was gone before git could take it out of its books.
    await run("git", ["worktree", "prune"], ROOT);
  };
  try {
    await run("git", ["worktree", "add", "--detach", folder, commit], ROOT);
    const { packageManager }: { readonly packageManager: string } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    const pnpm = (...args: readonly string[]) =>
      run("npx", ["--yes", `--package=${packageManager.replace(/\+.*/, "")}`, "--", "pnpm", ...args], folder);
    await pnpm("install", "--frozen-lockfile", "--prefer-offline");
    await pnpm("exec", "tsc", "-b", ...PACKAGES.map((name) => `packages/${name}`));
    return { title, host: await layProgramsBeside(folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function layProgramsBeside(folder: string): Promise<URL> {
  const place = join(folder, ".against");
  const modules = join(place, "node_modules", "@pigato");
  mkdirSync(modules, { recursive: true });
  for (const name of PACKAGES) symlinkSync(join(folder, "packages", name), join(modules, name));
  cpSync(PROGRAMS, place, { recursive: true });
  writeFileSync(join(place, "package.json"), '{ "type": "module" }\n');
  return pathToFileURL(join(place, "compare", "host.js"));
}

/** @returns what it printed; rejects with what it said, if it fails */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  const [code] = await once(child, "close");
  if (code === 0) return said.stdout;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${said.stdout}${said.stderr}`);
}

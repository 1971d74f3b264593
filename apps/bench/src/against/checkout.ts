// Checks out a commit of this repository in a temporary folder, installs and builds it, and lays the benchmark programs of
// this tree beside it. There they find the packages of that commit. `close` removes all of it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
/** The built programs; `pnpm bench` builds them before it runs a command. */
const PROGRAMS = fileURLToPath(new URL("../../dist/", import.meta.url));
/** The packages that the programs import. Every commit has them; building them builds what they depend on. */
const PACKAGES = ["broker", "client", "transport", "worker"] as const;

export interface Checkout {
  /** Hash and subject of the commit. */
  readonly title: string;
  /** The program that runs a role with the packages of the commit. */
  readonly roleProgram: URL;
  close(): Promise<void>;
}

/** @returns rejects if the commit does not exist, or cannot be installed or built */
export async function checkOut(commit: string): Promise<Checkout> {
  const title = (await run("git", ["log", "-1", "--format=%h %s", `${commit}^{commit}`], ROOT)).trim();
  const parent = mkdtempSync(join(tmpdir(), "pigato-against-"));
  const folder = join(parent, "tree");
  const close = async (): Promise<void> => {
    await run("git", ["worktree", "remove", "--force", folder], ROOT).catch(() => {});
    rmSync(parent, { recursive: true, force: true, maxRetries: 3 });
    // In case the folder was deleted before git could remove the worktree.
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
    return { title, roleProgram: await layPrograms(folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function layPrograms(folder: string): Promise<URL> {
  const place = join(folder, ".against");
  const modules = join(place, "node_modules", "@pigato");
  mkdirSync(modules, { recursive: true });
  for (const name of PACKAGES) symlinkSync(join(folder, "packages", name), join(modules, name));
  cpSync(PROGRAMS, place, { recursive: true });
  writeFileSync(join(place, "package.json"), '{ "type": "module" }\n');
  return pathToFileURL(join(place, "compare", "role-process.js"));
}

/** @returns resolves to the standard output; rejects with all output if the program fails */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const [code] = await once(child, "close");
  if (code === 0) return output.stdout;
  throw new Error(`${program} ${args.join(" ")} exited with ${code}:\n${output.stdout}${output.stderr}`);
}

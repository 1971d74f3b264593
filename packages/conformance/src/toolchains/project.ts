// A project outside of this repository that installs the packages as they are published. Tools are installed into folders of their
// own below it, where programs find the packages of the project above.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const PACKAGES = fileURLToPath(new URL("../../../", import.meta.url));
const INSTALL = [
  "install",
  "--no-audit",
  "--no-fund",
  "--loglevel=error",
  "--prefer-offline",
  "--ignore-scripts=false",
];

const PROGRAM_TIMEOUT_MS = 240_000;
/** Thousands of files, on a busy machine. */
export const REMOVE_TIMEOUT_MS = 120_000;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
}

/** Why this machine cannot run the suite, if so. */
export async function obstacle(): Promise<string | undefined> {
  if (!existsSync(join(PACKAGES, "client/dist/commonjs/index.js"))) return "the packages are not built: pnpm build";
  try {
    await run(PACKAGES, "pnpm", ["--version"]);
    await run(PACKAGES, "npm", ["view", "esbuild", "version", "--fetch-retries=0", "--fetch-timeout=10000"]);
    return undefined;
  } catch {
    return "no pnpm on PATH, or no registry of packages";
  }
}

export class Project {
  readonly folder: string;

  /** Packs every public package and installs all. */
  static async create(): Promise<Project> {
    const project = new Project(mkdtempSync(join(tmpdir(), "pigato-toolchains-")));
    const packed = join(project.folder, "packed");
    const folders = readdirSync(PACKAGES)
      .map((name) => join(PACKAGES, name))
      .filter((folder) => !isPrivate(folder));
    await Promise.all(folders.map((folder) => run(folder, "pnpm", ["pack", "--pack-destination", packed])));
    project.write("package.json", JSON.stringify({ private: true }));
    await project.install(...readdirSync(packed).map((file) => join(packed, file)));
    return project;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A folder below, with these packages: `name@version`. It is removed when the test ends. */
  async within(name: string, ...tools: readonly string[]): Promise<Project> {
    const project = new Project(join(this.folder, name));
    onTestFinished(() => project.remove(), REMOVE_TIMEOUT_MS);
    project.write("package.json", JSON.stringify({ private: true }));
    if (tools.length > 0) await project.install(...tools);
    return project;
  }

  /** @returns the path of the file */
  write(file: string, text: string): string {
    const path = join(this.folder, file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  async install(...packages: readonly string[]): Promise<void> {
    await run(this.folder, "npm", [...INSTALL, ...packages]);
  }

  /** Runs a command of the installed tools. @returns its output */
  tool(name: string, ...args: readonly string[]): Promise<string> {
    return run(this.folder, join(this.folder, "node_modules/.bin", name), args);
  }

  /** Runs a program with this Node. @returns its output */
  node(...args: readonly string[]): Promise<string> {
    return run(this.folder, process.execPath, args);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isPrivate(folder: string): boolean {
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return manifest.private === true;
}

/** @throws Error with the output of a command that fails */
async function run(folder: string, command: string, args: readonly string[]): Promise<string> {
  const options = { cwd: folder, timeout: PROGRAM_TIMEOUT_MS, env: environment() };
  try {
    const { stdout } = await promisify(execFile)(command, [...args], options);
    return stdout.trim();
  } catch (error) {
    const output = error instanceof Error ? `${Reflect.get(error, "stdout")}\n${Reflect.get(error, "stderr")}` : "";
    throw new Error(`${command} ${args.join(" ")} failed in ${folder}\n${output}`, { cause: error });
  }
}

/** Without what Vitest and pnpm set for their own programs. */
function environment(): NodeJS.ProcessEnv {
  const isForeign = (name: string) => /^(VITEST|NODE_ENV|NODE_OPTIONS|npm_(?!config_registry)|JEST)/i.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}

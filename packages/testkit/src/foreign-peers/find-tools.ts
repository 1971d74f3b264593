// Vitest's global setup: searches the tools of foreign-peers.ts once, before any test, and reports those that are missing.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestProject } from "vitest/node";
import { MISSING, type ToolPaths } from "./foreign-peers.ts";

const USES_LIBZMQ = "#include <zmq.h>\nint main(void) { return zmq_errno(); }\n";

export default async function setup(project: TestProject): Promise<void> {
  const tools = await findTools(process.env);
  project.provide("toolPaths", tools);
  const isRequired = process.env.PIGATO_REQUIRE_PEERS === "1";
  for (const line of missingLines(tools, isRequired)) console.log(line);
}

/** One line per missing tool: what is missing, and what to install. */
export function missingLines(tools: ToolPaths, isRequired: boolean): string[] {
  const result = isRequired ? "fail" : "are skipped";
  const lines: string[] = [];
  if (tools.python === null) lines.push(`Suites with Python peers ${result}: ${MISSING.python}`);
  if (tools.c === null) lines.push(`Suites with C peers ${result}: ${MISSING.c}`);
  if (tools.chromium === null) lines.push(`Suites with a browser ${result}: ${MISSING.chromium}`);
  return lines;
}

export async function findTools(environment: NodeJS.ProcessEnv): Promise<ToolPaths> {
  const { PATH = "", PIGATO_PYTHON, CHROMIUM_PATH } = environment;
  const onPath = (program: string) =>
    PATH.split(delimiter)
      .map((folder) => join(folder, program))
      .filter((path) => existsSync(path));
  const pythons = [...(PIGATO_PYTHON ? [PIGATO_PYTHON] : []), ...onPath("python3")];
  const browsers = ["chromium", "chromium-browser", "google-chrome"].flatMap(onPath);
  const [python, c] = await Promise.all([
    firstThatRuns(pythons, ["-c", "import zmq"]),
    firstThatRuns(onPath("gcc"), ["-x", "c", "-", "-o", "/dev/null", "-lzmq"], USES_LIBZMQ),
  ]);
  return { python, c, chromium: CHROMIUM_PATH ?? browsers[0] ?? null };
}

async function firstThatRuns(programs: readonly string[], args: string[], input = ""): Promise<string | null> {
  for (const program of programs) if (await runs(program, args, input)) return program;
  return null;
}

function runs(program: string, args: string[], input: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { stdin } = execFile(program, args, (error) => resolve(error === null));
    // A program that ends before it reads its input breaks the pipe; its exit code says what is wrong.
    stdin?.on("error", () => {});
    stdin?.end(input);
  });
}

// The types of the packages, checked with all their declaration files, by old and new compilers and every way to resolve modules.

import { expect, test } from "vitest";
import { ANSWER, TS_PROGRAM } from "./programs.ts";
import type { Project } from "./project.ts";

/** The oldest compiler that is supported with the types of Node that it can read, the last one in JavaScript, and the newest. */
export const COMPILERS = [
  { typescript: "5.0.4", nodeTypes: "20.19.43", resolutions: ["node10", "node16", "nodenext", "bundler"] },
  { typescript: "6.0.3", nodeTypes: "20.19.43", resolutions: ["node10", "node16", "nodenext", "bundler"] },
  { typescript: "7.0.2", nodeTypes: "20.19.43", resolutions: ["node16", "nodenext", "bundler"] },
] as const;

type Resolution = (typeof COMPILERS)[number]["resolutions"][number];

const MODULES: Readonly<Record<Resolution, string>> = {
  node10: "commonjs",
  node16: "node16",
  nodenext: "nodenext",
  bundler: "es2022",
};

/** @param isShort only the newest compiler */
export function describeTypes(projectOf: () => Project, isShort: boolean): void {
  const compilers = isShort ? COMPILERS.slice(-1) : COMPILERS;
  test.each(compilers)("TypeScript $typescript compiles a program, however it resolves modules", async (compiler) => {
    const { typescript, nodeTypes, resolutions } = compiler;
    const tools = [`typescript@${typescript}`, `@types/node@${nodeTypes}`];
    const place = await projectOf().within(`typescript-${typescript}`, ...tools);
    for (const resolution of resolutions) {
      const files = filesFor(resolution);
      for (const file of files) place.write(file, TS_PROGRAM);
      place.write("tsconfig.json", configFor(typescript, resolution, files));
      await place.tool("tsc", "--project", "tsconfig.json");
      for (const file of files) {
        const compiled = `${resolution}/${file.replace(/ts$/, "js")}`;
        expect(await place.node(compiled), compiled).toBe(ANSWER);
      }
    }
  });
}

/** With `node16` and `nodenext`, the name of a file says what it becomes. */
function filesFor(resolution: Resolution): readonly string[] {
  if (resolution === "node10") return ["program.ts"];
  return resolution === "bundler" ? ["program.mts"] : ["program.mts", "program.cts"];
}

function configFor(typescript: string, resolution: Resolution, files: readonly string[]): string {
  const isDeprecated = resolution === "node10" && typescript.startsWith("6.");
  return JSON.stringify({
    compilerOptions: {
      target: "es2022",
      lib: ["es2022"],
      types: ["node"],
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      esModuleInterop: true,
      module: MODULES[resolution],
      moduleResolution: resolution,
      outDir: resolution,
      ...(isDeprecated && { ignoreDeprecations: "6.0" }),
    },
    files,
  });
}

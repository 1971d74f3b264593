// `pnpm bench [question] [its arguments]`: each question is a program of its own.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `built`: run as users run it; the others reach into packages that they measure, and run from source. */
const QUESTIONS: Readonly<Record<string, { readonly file: string; readonly built: boolean; readonly asks: string }>> = {
  compare: {
    file: "../dist/compare.js",
    built: true,
    asks: "how fast is it beside others? --quick for a minute, --page to write docs/explanation/performance.md",
  },
  core: { file: "core-scale.ts", built: false, asks: "what does a request cost the broker's core? [names] [rounds]" },
  broker: { file: "broker-scale.ts", built: false, asks: "what does it cost a whole broker, as that grows? [rounds]" },
  dialects: { file: "dialects.ts", built: false, asks: "what does a request cost it in each dialect? [rounds]" },
  frames: { file: "frames.ts", built: false, asks: "what do its frames cost, and what would fewer save? [rounds]" },
  transport: { file: "transport.ts", built: false, asks: "how many requests does a link carry? [rounds]" },
};

const [, , first = "compare", ...rest] = process.argv;
// Options alone are for the comparison.
const [name, args] = first.startsWith("--") && first !== "--help" ? ["compare", [first, ...rest]] : [first, rest];
const question = Object.hasOwn(QUESTIONS, name) ? QUESTIONS[name] : undefined;

if (question === undefined) {
  console.log("pnpm bench [question] [arguments]");
  for (const [known, { asks }] of Object.entries(QUESTIONS)) console.log(`  ${known.padEnd(12)}${asks}`);
  process.exitCode = name === "--help" ? 0 : 1;
} else {
  const flags = question.built ? [] : process.execArgv;
  const file = fileURLToPath(new URL(question.file, import.meta.url));
  process.exitCode = spawnSync(process.execPath, [...flags, file, ...args], { stdio: "inherit" }).status ?? 1;
}

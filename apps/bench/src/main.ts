// `pnpm bench [question] [its arguments]`: each question is a program of its own.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `built`: run as users run it; the others reach into packages that they measure, and run from source. */
const QUESTIONS: Readonly<Record<string, { readonly file: string; readonly built: boolean; readonly asks: string }>> = {
  compare: {
    file: "../dist/compare.js",
    built: true,
    asks: "how fast is it beside others? --quick for a minute",
  },
  core: { file: "core-scale.ts", built: false, asks: "what does a request cost the broker's core? [names] [rounds]" },
  broker: { file: "broker-scale.ts", built: false, asks: "what does it cost a whole broker, as that grows? [rounds]" },
  dialects: { file: "dialects.ts", built: false, asks: "what does a request cost it in each dialect? [rounds]" },
  against: {
    file: "../dist/against.js",
    built: true,
    asks: "is it slower than at another commit? <commit> [<commit>]",
  },
  profile: { file: "../dist/profile.js", built: true, asks: "where does its time go? [seconds for each case]" },
  page: { file: "page.ts", built: false, asks: "nothing: makes the page of the last runs with --page, and its charts" },
  frames: { file: "frames.ts", built: false, asks: "what do its frames cost, and what would fewer save? [rounds]" },
  transport: { file: "transport.ts", built: false, asks: "how many requests does a link carry? [rounds]" },
};

const [, , first = "compare", ...rest] = process.argv;
// Options alone are for the comparison.
const [name, args] = first.startsWith("--") && first !== "--help" ? ["compare", [first, ...rest]] : [first, rest];
const question = Object.hasOwn(QUESTIONS, name) ? QUESTIONS[name] : undefined;

if (question === undefined) {
  console.log("pnpm bench [question] [arguments]; --page keeps the figures in docs/benchmarks");
  for (const [known, { asks }] of Object.entries(QUESTIONS)) console.log(`  ${known.padEnd(12)}${asks}`);
  process.exitCode = name === "--help" ? 0 : 1;
} else {
  const flags = question.built ? [] : process.execArgv;
  const file = fileURLToPath(new URL(question.file, import.meta.url));
  const env = { ...process.env, PIGATO_QUESTION: [name, ...args].map(quoted).join(" ") };
  process.exitCode = spawnSync(process.execPath, [...flags, file, ...args], { stdio: "inherit", env }).status ?? 1;
}

/** As a shell reads it. */
function quoted(word: string): string {
  return /^[\w.,/=:~^-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// `pnpm bench against COMMIT [COMMIT]`: compares CPU per request and rates of this tree with a commit, or of the second commit
// with the first. Both sides run the benchmark programs of this tree over the packages of their own checkout.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Checkout, checkOut } from "./against/checkout.ts";
import { CPU_LIMIT, comparePaired, type PairedPlan, type PairedResult } from "./against/paired-comparison.ts";
import { parsePositive, parseSeconds } from "./command-line.ts";
import { AGAINST_CASES, CASES } from "./compare/cases.ts";
import { PeerProcesses } from "./compare/peer-processes.ts";
import { ANY_COMMIT } from "./compare/peers.ts";
import { parseNames } from "./compare/select-peers.ts";
import { asLines } from "./records/records.ts";
import { describeRun, startRun } from "./records/run-info.ts";
import type { Spread } from "./statistics.ts";
import { asText, type Table, thousands } from "./table.ts";
import { showProgress } from "./terminal.ts";

/** Chunks are not among them: not every commit carries bytes in the same way. */
const KNOWN_CASES = CASES.filter(({ kind }) => kind === "calls" || kind === "partials");

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "200" },
      starts: { type: "string", default: "4" },
      "burst-ms": { type: "string", default: "200" },
      cases: { type: "string", default: AGAINST_CASES.join(",") },
      json: { type: "string" },
    },
  });
  const [otherCommit, ownCommit] = positionals;
  if (otherCommit === undefined || positionals.length > 2) throw new Error("name one commit, or two");
  const names = parseNames(values.cases, KNOWN_CASES);
  const plan: PairedPlan = {
    cases: KNOWN_CASES.filter(({ name }) => names?.includes(name)),
    seconds: parseSeconds(values.seconds, "--seconds"),
    starts: parsePositive(values.starts, "--starts"),
    burstMs: parsePositive(values["burst-ms"], "--burst-ms"),
    onProgress: showProgress,
  };
  const finishRun = startRun(commandLine);
  const { own, other, results } = await compare(otherCommit, ownCommit, plan);
  showProgress(1, "");
  const record = { run: finishRun(), own, other, cpuLimit: CPU_LIMIT, results };
  console.log(`${own}\ncompared with ${other}\n`);
  console.log(asText(tableOf(results)));
  console.log(describeRun(record.run));
  if (values.json === undefined) console.log(JSON.stringify(record));
  else writeFileSync(values.json, asLines(record));
}

async function compare(otherCommit: string, ownCommit: string | undefined, plan: PairedPlan) {
  const checkouts: Checkout[] = [];
  const running: PeerProcesses[] = [];
  // A signal ends the run like an error, so that the folders are removed.
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)));
  });
  const prepare = async (commit: string): Promise<Checkout> => {
    showProgress(0, `installing and building ${commit}`);
    const checkout = await checkOut(commit);
    checkouts.push(checkout);
    return checkout;
  };
  const comparing = async () => {
    const other = await prepare(otherCommit);
    const own = ownCommit === undefined ? undefined : await prepare(ownCommit);
    const results = await comparePaired(() => {
      const sides = [
        new PeerProcesses(ANY_COMMIT, own?.roleProgram),
        new PeerProcesses(ANY_COMMIT, other.roleProgram),
      ] as const;
      running.push(...sides);
      return sides;
    }, plan);
    return { own: own?.title ?? "this tree", other: other.title, results };
  };
  try {
    return await Promise.race([comparing(), interrupted]);
  } finally {
    await Promise.all(running.map((processes) => processes.stop()));
    for (const checkout of checkouts) await checkout.close();
  }
}

function tableOf(results: readonly PairedResult[]): Table {
  const quartiles = ({ median, low, high }: Spread) => `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
  return {
    title: "Ratios are this side divided by the other: the median of paired ratios, and their quartiles",
    rows: [
      [
        "",
        "CPU µs",
        "other",
        "CPU ratio",
        "95 % interval",
        `≤ ${CPU_LIMIT}`,
        "per second",
        "other",
        "speed ratio",
        "pairs",
      ],
      ...results.map(({ caseName, perSecond, cpuMicros, speedRatio, cpuRatio, cpuInterval, verdict, rounds }) => [
        caseName,
        cpuMicros.own.median.toFixed(2),
        cpuMicros.other.median.toFixed(2),
        quartiles(cpuRatio),
        cpuInterval.map((end) => end.toFixed(3)).join("–"),
        verdict,
        thousands(perSecond.own.median),
        thousands(perSecond.other.median),
        quartiles(speedRatio),
        String(rounds),
      ]),
    ],
  };
}

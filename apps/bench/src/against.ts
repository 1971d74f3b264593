// Question: is this tree slower than another commit, or one commit than another? The same programs of today, client, broker
// and worker each in a process of its own, run over the packages of the one and of the other, and take turns.
//
//   pnpm bench against <commit> [<commit>] [--seconds <n>] [--burst-ms <n>] [--cases <cases>] [--json <file>]
//
// With one commit, this tree is compared with it, as it lies there; with two, the second is compared with the first.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Checkout, checkOut } from "./against/checkout.ts";
import { duel, type Verdict, verdictOf } from "./against/duel.ts";
import { CASES } from "./compare/cases.ts";
import { ANY_COMMIT } from "./compare/roster.ts";
import { chosen } from "./compare/selection.ts";
import { Troupe } from "./compare/troupe.ts";
import { showProgress } from "./progress.ts";
import { asSentence, observed } from "./records/circumstances.ts";
import { asLines } from "./records/records.ts";
import type { Spread } from "./statistics.ts";
import { asText, thousands } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    "burst-ms": { type: "string", default: "200" },
    cases: { type: "string", default: "20 B × 1,20 B × 100,20 B × 1000,partials" },
    json: { type: "string" },
  },
});
const [first, second] = positionals;
if (first === undefined || positionals.length > 2) throw new Error("name the commit to compare with, or two commits");
// Chunks of bytes have not always been carried in the same way.
const known = CASES.filter(({ kind }) => kind !== "chunks");
const names = chosen(values.cases, known);
const cases = known.filter(({ name }) => names?.includes(name));

const checkouts: Checkout[] = [];
const troupes: Troupe[] = [];
// A key that ends this ends it as an error does: the folders are taken away.
const ended = new Promise<never>((_resolve, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => reject(new Error(`ended by ${signal}`)));
});
try {
  await Promise.race([compare(first, second), ended]);
} finally {
  await Promise.all(troupes.map((troupe) => troupe.stop()));
  for (const checkout of checkouts) await checkout.close();
}

async function compare(otherCommit: string, ownCommit: string | undefined): Promise<void> {
  const conclude = observed();
  const other = await prepared(otherCommit);
  const own = ownCommit === undefined ? undefined : await prepared(ownCommit);
  const [ours, theirs] = [new Troupe(ANY_COMMIT, own?.host), new Troupe(ANY_COMMIT, other.host)];
  troupes.push(ours, theirs);
  for (const troupe of troupes) await troupe.start();
  const rounds = await duel([ours, theirs], cases, {
    seconds: Number(values.seconds),
    burstMs: Number(values["burst-ms"]),
    onProgress: showProgress,
  });
  showProgress(1, "");
  const verdicts = [...rounds].map(([what, pairs]) => verdictOf(what.name, pairs));
  const names = { own: own?.title ?? "this tree", other: other.title };
  console.log(`${names.own}\nbeside ${names.other}\n`);
  console.log(asText(tableOf(verdicts)));
  const record = { circumstances: conclude(), ...names, verdicts };
  console.log(asSentence(record.circumstances));
  if (values.json === undefined) console.log(JSON.stringify(record));
  else writeFileSync(values.json, asLines(record));
}

async function prepared(commit: string): Promise<Checkout> {
  showProgress(0, `installing and building ${commit}`);
  const checkout = await checkOut(commit);
  checkouts.push(checkout);
  return checkout;
}

function tableOf(verdicts: readonly Verdict[]) {
  const quartiles = ({ median, low, high }: Spread) => `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
  return {
    title: "How many times as fast it is, and how many times the CPU that a request costs it: medians and quartiles",
    rows: [
      ["", "a second", "of the other", "speed", "CPU", "rounds"],
      ...verdicts.map(({ what, perSecond, speed, cpu, rounds }) => [
        what,
        thousands(perSecond.own.median),
        thousands(perSecond.other.median),
        quartiles(speed),
        quartiles(cpu),
        String(rounds),
      ]),
    ],
  };
}

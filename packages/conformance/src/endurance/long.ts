// The long form: `pnpm endurance [minutes, default 30] [requests per second, default 1000]`, and
// `pnpm endurance connections [clients, default 5000] [workers, default 1000]`.

import { connectMany } from "./connections.ts";
import { Endurance, type Round, wrongEnds } from "./endurance.ts";
import { type Sample, slopeOf } from "./slope.ts";

const ROUND_S = 10;
/** Share of the time for warming up: one-time allocations happen in it. */
const WARM_UP = 0.2;
/** Bytes per minute by which a process may appear to grow; a certain growth above this is a leak. */
const MOST_LIVE = 100 * 1024;
const MOST_RESIDENT = 1024 * 1024;

if (process.argv[2] === "connections") await connections(argument(3, 5_000), argument(4, 1_000));
else await endure(argument(2, 30), argument(3, 1_000));

async function endure(minutes: number, perSecond: number): Promise<void> {
  const endurance = await Endurance.start();
  const startAt = performance.now();
  const elapsed = (): number => (performance.now() - startAt) / 60_000;
  const rounds: (Round & { readonly at: number })[] = [];
  const ends = new Map<string, number>();
  const wrong: string[] = [];
  while (elapsed() < minutes) {
    const round = await endurance.round({ count: perSecond * ROUND_S, perSecond, replaced: 7 });
    rounds.push({ ...round, at: elapsed() });
    wrong.push(...wrongEnds(round));
    for (const [end, count] of Object.entries(round.ends)) ends.set(end, (ends.get(end) ?? 0) + count);
    print(`${elapsed().toFixed(1)} min, ${round.requests} requests`, memoryLine(round));
  }
  await endurance.stop();

  const warm = rounds.filter(({ at }) => at >= minutes * WARM_UP);
  print("how they ended", [...ends].map(([end, count]) => `${count} ${end}`).join(", "));
  print("the broker's tables at the end", JSON.stringify(rounds.at(-1)?.tables));
  let leaks = 0;
  for (const name of rounds[0]?.memory.keys() ?? []) {
    for (const [kind, most] of [
      ["live", MOST_LIVE],
      ["rss", MOST_RESIDENT],
    ] as const) {
      const samples: Sample[] = warm.map(({ at, memory }) => ({ at, value: memory.get(name)?.[kind] ?? 0 }));
      const { perUnit, plusMinus } = slopeOf(samples);
      const isLeak = perUnit - plusMinus > most;
      const verdict = isLeak ? "  GROWS" : "";
      print(`${name} ${kind}`, `${kib(perUnit)} ± ${kib(plusMinus)} KiB a minute${verdict}`);
      if (isLeak) leaks += 1;
    }
  }
  for (const end of new Set(wrong)) print("wrong", end);
  process.exitCode = leaks > 0 || wrong.length > 0 ? 1 : 0;
}

async function connections(clients: number, workers: number): Promise<void> {
  const { answered, wrong, directories, seconds, perConnection } = await connectMany({ clients, workers });
  print("connected", `${clients} clients and ${workers} workers in ${seconds.toFixed(1)} s`);
  print("answered", `${answered} clients, ${wrong} of them wrongly`);
  print("directories", directories.every((isRight) => isRight) ? "all correct" : "not all correct");
  print(
    "the broker's memory per connection",
    `${kib(perConnection.rss)} KiB resident, ${kib(perConnection.live)} live`,
  );
  process.exitCode = answered === clients && wrong === 0 && directories.every((isRight) => isRight) ? 0 : 1;
}

function memoryLine({ memory }: Round): string {
  const cells = [...memory].map(([name, { rss, live }]) => `${name} ${mib(rss)} MiB, ${mib(live)} live`);
  return cells.join(" · ");
}

function argument(index: number, otherwise: number): number {
  return Number(process.argv[index] ?? otherwise);
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function print(what: string, value: string): void {
  console.log(`${what}: ${value}`);
}

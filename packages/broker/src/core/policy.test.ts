// Each policy against a simple model, over long random sequences of changes.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { DispatchMode } from "./core-options.ts";
import { newPolicy } from "./policy.ts";
import type { WorkerRecord } from "./queued-request.ts";
import { aWorker, setLoad } from "./testing/records.ts";
import { seededRandom } from "./testing/step-arbitrary.ts";

const WORKERS = 8;

interface Change {
  readonly do: "add" | "remove" | "dispatch" | "fill" | "end" | "choose";
  readonly who: number;
  readonly load: number;
  readonly excluded: readonly number[];
}

/** A member and when it last moved. The model searches all members for every choice. */
interface Member {
  readonly worker: WorkerRecord;
  since: number;
}

type Choice = (members: readonly Member[]) => WorkerRecord | undefined;

const leastLoaded: Choice = (members) =>
  members.toSorted(
    (left, right) => left.worker.inFlight.size - right.worker.inFlight.size || left.since - right.since,
  )[0]?.worker;
const longestWaiting: Choice = (members) => members.toSorted((left, right) => left.since - right.since)[0]?.worker;

const change: fc.Arbitrary<Change> = fc.record({
  do: fc.constantFrom(
    "add",
    "add",
    "remove",
    "dispatch",
    "dispatch",
    "fill",
    "end",
    "end",
    "choose",
    "choose",
    "choose",
  ),
  who: fc.nat({ max: WORKERS - 1 }),
  load: fc.constantFrom(0, 0, 1, 2, 3, 10, 40),
  excluded: fc.oneof(fc.constant([]), fc.array(fc.nat({ max: WORKERS - 1 }), { maxLength: WORKERS })),
});

function playAgainst(mode: DispatchMode, changes: readonly Change[], check: typeof compare, choice?: Choice): void {
  const policy = newPolicy<WorkerRecord>(mode, seededRandom(changes.length));
  const workers = Array.from({ length: WORKERS }, (_, index) => aWorker(`w${index}`));
  const members: Member[] = [];
  let moves = 0;
  for (const { do: what, who, load, excluded } of changes) {
    const worker = workers[who];
    if (worker === undefined) continue;
    const index = members.findIndex((member) => member.worker === worker);
    const member = members[index];
    moves += 1;
    if (what === "add" && member === undefined) {
      setLoad(worker, load);
      policy.add(worker);
      members.push({ worker, since: moves });
    } else if (what === "remove" && member !== undefined) {
      policy.remove(worker);
      members.splice(index, 1);
    } else if (what === "dispatch" && member !== undefined) {
      setLoad(worker, worker.inFlight.size + 1);
      policy.onDispatched(worker);
      member.since = moves;
    } else if (what === "fill" && member !== undefined) {
      setLoad(worker, worker.inFlight.size + 1);
      policy.remove(worker);
      members.splice(index, 1);
    } else if (what === "end" && member !== undefined && worker.inFlight.size > 0) {
      setLoad(worker, worker.inFlight.size - 1);
      policy.onEnded(worker);
      if (mode === "load") member.since = moves;
    } else if (what === "choose") {
      const rejecting = new Set(excluded.flatMap((number) => workers[number] ?? []));
      const open = members.filter((candidate) => !rejecting.has(candidate.worker));
      check(policy.choose(rejecting.size > 0 ? rejecting : undefined), open, choice);
    }
    expect(policy.size).toBe(members.length);
  }
}

function compare(chosen: WorkerRecord | undefined, members: readonly Member[], choice?: Choice): void {
  if (choice) expect(chosen?.id).toBe(choice(members)?.id);
  else expect(members.some(({ worker }) => worker === chosen)).toBe(members.length > 0);
}

test.each<[DispatchMode, Choice | undefined]>([
  ["load", leastLoaded],
  ["lru", longestWaiting],
  ["rand", undefined],
])("the policy %s chooses as its model does, after any sequence of changes", (mode, choice) => {
  const changes = fc.array(change, { minLength: 100, maxLength: 400, size: "max" });
  fc.assert(
    fc.property(changes, (sequence) => playAgainst(mode, sequence, compare, choice)),
    { numRuns: 60, seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("load: a worker that dropped to the load of others waits behind them", () => {
  const policy = newPolicy<WorkerRecord>("load", () => 0);
  const [first, second] = [aWorker("w1"), aWorker("w2")];
  setLoad(first, 1);
  for (const worker of [first, second]) policy.add(worker);
  setLoad(first, 0);
  policy.onEnded(first);
  expect(policy.choose(undefined)).toBe(second);
});

test("load: the policy finds the least loaded among workers of very different loads", () => {
  const policy = newPolicy<WorkerRecord>("load", () => 0);
  for (const load of [40, 3, 17, 90, 5]) {
    const worker = aWorker(`w${load}`);
    setLoad(worker, load);
    policy.add(worker);
  }
  expect(policy.choose(undefined)?.id).toBe("w3");
});

test("rand: the policy chooses the lighter of two workers unless both picks fall on the heavier one", () => {
  const policy = newPolicy<WorkerRecord>("rand", seededRandom(7));
  const [heavy, light] = [aWorker("heavy"), aWorker("light")];
  setLoad(heavy, 5);
  for (const worker of [heavy, light]) policy.add(worker);
  let picks = 0;
  for (let turn = 0; turn < 2_000; turn++) if (policy.choose(undefined) === light) picks += 1;
  expect(picks).toBeGreaterThan(1_400);
  expect(picks).toBeLessThan(1_600);
});

test("rand: the policy chooses each of many equal workers about equally often", () => {
  const policy = newPolicy<WorkerRecord>("rand", seededRandom(3));
  const counts = new Map<WorkerRecord, number>();
  for (let index = 0; index < 10; index++) policy.add(aWorker(`w${index}`));
  for (let turn = 0; turn < 10_000; turn++) {
    const worker = policy.choose(undefined);
    if (worker) counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(800);
  expect(counts.size).toBe(10);
});

test("an empty policy chooses no worker", () => {
  for (const mode of ["load", "lru", "rand"] as const) {
    expect(newPolicy<WorkerRecord>(mode, () => 0).choose(undefined)).toBeUndefined();
  }
});

// Each policy against a simple model, over long random sequences of changes.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { DispatchMode } from "./core-options.ts";
import { newPolicy } from "./policy.ts";
import type { Registration } from "./queued-request.ts";
import { aRegistration, setLoad } from "./testing/records.ts";
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
  readonly worker: Registration;
  since: number;
}

type Choice = (members: readonly Member[]) => Registration | undefined;

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
  const policy = newPolicy<Registration>(mode, seededRandom(changes.length));
  const workers = Array.from({ length: WORKERS }, (_, index) => aRegistration(`w${index}`));
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
      const rejecting = new Set(excluded.flatMap((number) => workers[number]?.worker ?? []));
      const open = members.filter((candidate) => !rejecting.has(candidate.worker.worker));
      check(policy.choose(rejecting.size > 0 ? rejecting : undefined), open, choice);
    }
    expect(policy.size).toBe(members.length);
  }
}

function compare(chosen: Registration | undefined, members: readonly Member[], choice?: Choice): void {
  if (choice) expect(chosen?.worker.id).toBe(choice(members)?.worker.id);
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
  const policy = newPolicy<Registration>("load", () => 0);
  const [first, second] = [aRegistration("w1"), aRegistration("w2")];
  setLoad(first, 1);
  for (const worker of [first, second]) policy.add(worker);
  setLoad(first, 0);
  policy.onEnded(first);
  expect(policy.choose(undefined)).toBe(second);
});

test("load: the policy finds the least loaded among workers of very different loads", () => {
  const policy = newPolicy<Registration>("load", () => 0);
  for (const load of [40, 3, 17, 90, 5]) {
    const worker = aRegistration(`w${load}`);
    setLoad(worker, load);
    policy.add(worker);
  }
  expect(policy.choose(undefined)?.worker.id).toBe("w3");
});

/** Workers that share their load with other services. */
function sharing(count: number): Registration[] {
  return Array.from({ length: count }, (_, index) => {
    const registration = aRegistration(`w${index}`);
    registration.isShared = true;
    return registration;
  });
}

test("load: a worker is not chosen by an old load, which requests for another service have changed", () => {
  const policy = newPolicy<Registration>("load", () => 0);
  const workers = sharing(3);
  for (const worker of workers) policy.add(worker);
  for (const worker of workers.slice(0, 2)) setLoad(worker, 5);
  expect(policy.choose(undefined)).toBe(workers[2]);
  setLoad(workers[1], 0);
  setLoad(workers[2], 9);
  // The policy learns of the lower load in turn.
  for (let turn = 0; turn < 3; turn++) policy.choose(undefined);
  expect(policy.choose(undefined)).toBe(workers[1]);
});

test("load: the loads of workers with several services are known after as many choices as there are workers", () => {
  const load = fc.array(fc.nat({ max: 20 }), { minLength: WORKERS, maxLength: WORKERS });
  fc.assert(
    fc.property(load, load, fc.array(fc.nat({ max: WORKERS - 1 })), (before, after, moved) => {
      const policy = newPolicy<Registration>("load", () => 0);
      const workers = sharing(WORKERS);
      for (const [index, worker] of workers.entries()) {
        setLoad(worker, before[index] ?? 0);
        policy.add(worker);
      }
      for (const [index, worker] of workers.entries()) setLoad(worker, after[index] ?? 0);
      for (const index of moved) {
        const worker = workers[index];
        if (worker) policy.remove(worker);
        policy.choose(undefined);
        if (worker) policy.add(worker);
      }
      for (let turn = 0; turn < 2 * WORKERS; turn++) policy.choose(undefined);
      expect(policy.choose(undefined)?.inFlight.size).toBe(Math.min(...after));
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("rand: the policy chooses the lighter of two workers unless both picks fall on the heavier one", () => {
  const policy = newPolicy<Registration>("rand", seededRandom(7));
  const [heavy, light] = [aRegistration("heavy"), aRegistration("light")];
  setLoad(heavy, 5);
  for (const worker of [heavy, light]) policy.add(worker);
  let picks = 0;
  for (let turn = 0; turn < 2_000; turn++) if (policy.choose(undefined) === light) picks += 1;
  expect(picks).toBeGreaterThan(1_400);
  expect(picks).toBeLessThan(1_600);
});

test("rand: the policy chooses each of many equal workers about equally often", () => {
  const policy = newPolicy<Registration>("rand", seededRandom(3));
  const counts = new Map<Registration, number>();
  for (let index = 0; index < 10; index++) policy.add(aRegistration(`w${index}`));
  for (let turn = 0; turn < 10_000; turn++) {
    const worker = policy.choose(undefined);
    if (worker) counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(800);
  expect(counts.size).toBe(10);
});

test("an empty policy chooses no worker", () => {
  for (const mode of ["load", "lru", "rand"] as const) {
    expect(newPolicy<Registration>(mode, () => 0).choose(undefined)).toBeUndefined();
  }
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Deadline, Deadlines, leftToWire } from "./deadlines.ts";

/** PIGATO_FUZZ_RUNS sets the number of runs, PIGATO_FUZZ_SEED repeats a run; a failure prints its seed. */
const RUNS = Number(process.env.PIGATO_FUZZ_RUNS ?? 60);
const SEED = Number(process.env.PIGATO_FUZZ_SEED);

function takeAll<Owner>(deadlines: Deadlines<Owner>, now: number): Owner[] {
  const taken: Owner[] = [];
  for (let owner = deadlines.takeDue(now); owner !== undefined; owner = deadlines.takeDue(now)) taken.push(owner);
  return taken;
}

/** The times at which an alarm that is always set to `next()` fires until no entry is left. */
function alarmsOf<Owner>(deadlines: Deadlines<Owner>): number[] {
  const alarms: number[] = [];
  for (let at = deadlines.next(); at !== undefined; at = deadlines.next()) {
    alarms.push(at);
    takeAll(deadlines, at);
  }
  return alarms;
}

describe("an entry", () => {
  test("is due at its time, not before", () => {
    const deadlines = new Deadlines<string>();
    deadlines.set(deadlines.entry("a"), 100, 1_000);
    expect(deadlines.next()).toBe(1_100);
    expect(deadlines.takeDue(1_099.9)).toBeUndefined();
    expect(deadlines.takeDue(1_100)).toBe("a");
  });

  test("is taken once", () => {
    const deadlines = new Deadlines<string>();
    deadlines.set(deadlines.entry("a"), 100, 0);
    expect(takeAll(deadlines, 100)).toEqual(["a"]);
    expect(takeAll(deadlines, 100)).toEqual([]);
    expect(takeAll(deadlines, 1e9)).toEqual([]);
  });

  test("that is not set is never due", () => {
    const deadlines = new Deadlines<string>();
    deadlines.entry("a");
    expect(deadlines.next()).toBeUndefined();
    expect(deadlines.takeDue(Number.MAX_VALUE)).toBeUndefined();
  });

  test("set to Infinity is never due", () => {
    const deadlines = new Deadlines<string>();
    const entry = deadlines.entry("a");
    deadlines.set(entry, 100, 0);
    deadlines.set(entry, Number.POSITIVE_INFINITY, 0);
    expect(takeAll(deadlines, Number.MAX_VALUE)).toEqual([]);
    expect(deadlines.next()).toBeUndefined();
    expect(entry.at).toBe(Number.POSITIVE_INFINITY);
  });

  test("set to 0 is due at once", () => {
    const deadlines = new Deadlines<string>();
    deadlines.set(deadlines.entry("a"), 0, 50);
    expect(takeAll(deadlines, 50)).toEqual(["a"]);
  });

  test("that is cleared is not due, however often it is cleared", () => {
    const deadlines = new Deadlines<string>();
    const [first, second] = [deadlines.entry("first"), deadlines.entry("second")];
    deadlines.set(first, 100, 0);
    deadlines.set(second, 100, 0);
    deadlines.clear(first);
    deadlines.clear(first);
    expect(takeAll(deadlines, 100)).toEqual(["second"]);
    deadlines.clear(second);
    expect(takeAll(deadlines, 200)).toEqual([]);
  });

  test("that moves is due only at its new time", () => {
    const deadlines = new Deadlines<string>();
    const entry = deadlines.entry("a");
    deadlines.set(entry, 100, 0);
    deadlines.set(entry, 100, 60);
    expect(takeAll(deadlines, 159)).toEqual([]);
    expect(takeAll(deadlines, 160)).toEqual(["a"]);
  });

  test("may move to an earlier time", () => {
    const deadlines = new Deadlines<string>();
    const entry = deadlines.entry("a");
    deadlines.set(entry, 1_000, 0);
    deadlines.set(entry, 10, 0);
    expect(deadlines.next()).toBe(10);
    expect(takeAll(deadlines, 10)).toEqual(["a"]);
    expect(takeAll(deadlines, 1_000)).toEqual([]);
  });

  test("may be set again after it was due", () => {
    const deadlines = new Deadlines<string>();
    const entry = deadlines.entry("a");
    for (const now of [0, 100, 200]) {
      deadlines.set(entry, 100, now);
      expect(takeAll(deadlines, now + 99)).toEqual([]);
      expect(takeAll(deadlines, now + 100)).toEqual(["a"]);
    }
  });

  test("that is cleared last leaves no tick to wait for", () => {
    const deadlines = new Deadlines<string>();
    const [first, second] = [deadlines.entry("first"), deadlines.entry("second")];
    deadlines.set(first, 100, 0);
    deadlines.set(second, 200, 0);
    deadlines.set(second, 300, 0);
    deadlines.clear(first);
    expect(deadlines.next()).toBeLessThanOrEqual(300);
    deadlines.clear(second);
    expect(deadlines.next()).toBeUndefined();
  });

  test("may be set while due entries are taken", () => {
    const deadlines = new Deadlines<string>();
    const [first, second] = [deadlines.entry("first"), deadlines.entry("second")];
    deadlines.set(first, 10, 0);
    deadlines.set(second, 20, 0);
    expect(deadlines.takeDue(30)).toBe("first");
    deadlines.set(first, 10, 30);
    deadlines.clear(second);
    expect(deadlines.takeDue(30)).toBeUndefined();
    expect(takeAll(deadlines, 40)).toEqual(["first"]);
  });
});

describe("a tick", () => {
  const filled = () => {
    const deadlines = new Deadlines<string>();
    deadlines.set(deadlines.entry("300 set at 0"), 300, 0);
    deadlines.set(deadlines.entry("100 set at 0"), 100, 0);
    deadlines.set(deadlines.entry("200 set at 50"), 200, 50);
    deadlines.set(deadlines.entry("100 set at 60"), 100, 60);
    return deadlines;
  };

  test("that is late takes everything due, the earliest first", () => {
    expect(takeAll(filled(), 10_000)).toEqual(["100 set at 0", "100 set at 60", "200 set at 50", "300 set at 0"]);
  });

  test("that is early takes nothing and loses nothing", () => {
    const deadlines = filled();
    for (const now of [60, 70, 80, 99]) expect(takeAll(deadlines, now)).toEqual([]);
    expect(takeAll(deadlines, 100)).toEqual(["100 set at 0"]);
  });

  test("that is repeated takes everything once", () => {
    const deadlines = filled();
    expect(takeAll(deadlines, 170)).toEqual(["100 set at 0", "100 set at 60"]);
    expect(takeAll(deadlines, 170)).toEqual([]);
    expect(takeAll(deadlines, 300)).toEqual(["200 set at 50", "300 set at 0"]);
    expect(deadlines.next()).toBeUndefined();
  });
});

describe("a hostile peer", () => {
  const MANY = 20_000;

  /** One entry stays set, so that there is always a next alarm. Each list that is left over causes one alarm. */
  const withPatience = () => {
    const deadlines = new Deadlines<string>();
    deadlines.set(deadlines.entry("patient"), 1_000_000, 0);
    return { deadlines, hostile: deadlines.entry("hostile") };
  };

  test("keeps nothing of many durations that were cleared", () => {
    const { deadlines, hostile } = withPatience();
    for (let index = 0; index < MANY; index++) {
      deadlines.set(hostile, 1_000 + index / 7, 0);
      deadlines.clear(hostile);
    }
    expect(alarmsOf(deadlines).length).toBeLessThanOrEqual(66);
  });

  test("keeps nothing of many durations of one entry", () => {
    const { deadlines, hostile } = withPatience();
    for (let index = 0; index < MANY; index++) deadlines.set(hostile, 1_000 + index / 7, 0);
    expect(alarmsOf(deadlines).length).toBeLessThanOrEqual(66);
  });

  test("does not delay entries of others", () => {
    const deadlines = new Deadlines<string>();
    const patient = deadlines.entry("patient");
    deadlines.set(patient, 60_000, 0);
    const hostile = deadlines.entry("hostile");
    for (let index = 0; index < MANY; index++) deadlines.set(hostile, 1 + index / 7, 0);
    deadlines.clear(hostile);
    expect(takeAll(deadlines, 59_999)).toEqual([]);
    expect(takeAll(deadlines, 60_000)).toEqual(["patient"]);
  });

  test("gets its own deadlines in order, all different", () => {
    const deadlines = new Deadlines<number>();
    const durations = Array.from({ length: MANY }, (_, index) => (index * 7_919) % MANY);
    for (const duration of durations) deadlines.set(deadlines.entry(duration), duration, 0);
    expect(takeAll(deadlines, MANY)).toEqual(durations.sort((left, right) => left - right));
  });
});

type Step =
  | { readonly do: "set"; readonly entry: number; readonly durationMs: number }
  | { readonly do: "clear"; readonly entry: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "take" }
  | { readonly do: "take all" };

const ENTRIES = 12;
const someEntry = fc.nat({ max: ENTRIES - 1 });
const someDuration = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 10, 50, 100) },
  { weight: 2, arbitrary: fc.nat({ max: 200 }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 200, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
);
const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("set" as const), entry: someEntry, durationMs: someDuration }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clear" as const), entry: someEntry }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat({ max: 60 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: "take" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "take all" as const }) },
);

test("any script has the same result as with a plain table of instants", () => {
  let takenInAll = 0;
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 400, size: "max" }), (script) => {
      const deadlines = new Deadlines<number>();
      const entries: Deadline<number>[] = Array.from({ length: ENTRIES }, (_, index) => deadlines.entry(index));
      const model = new Map<number, number>();
      let now = 1_000;
      let alarmAt = Number.POSITIVE_INFINITY;

      const soonest = () => Math.min(...model.values());
      const takeOne = (): boolean => {
        const owner = deadlines.takeDue(now);
        if (owner === undefined) {
          expect(soonest()).toBeGreaterThan(now);
          return false;
        }
        // Entries that are due at the same time may be taken in any order.
        expect(model.get(owner)).toBe(soonest());
        expect(soonest()).toBeLessThanOrEqual(now);
        model.delete(owner);
        takenInAll += 1;
        return true;
      };

      for (const step of script) {
        switch (step.do) {
          case "set": {
            const entry = entries[step.entry];
            if (entry === undefined) break;
            deadlines.set(entry, step.durationMs, now);
            model.delete(step.entry);
            expect(entry.at).toBe(now + step.durationMs);
            if (entry.at !== Number.POSITIVE_INFINITY) model.set(step.entry, entry.at);
            break;
          }
          case "clear": {
            const entry = entries[step.entry];
            if (entry === undefined) break;
            deadlines.clear(entry);
            expect(entry.at).toBe(Number.POSITIVE_INFINITY);
            model.delete(step.entry);
            break;
          }
          case "pass":
            now += step.ms;
            break;
          case "take":
            takeOne();
            break;
          case "take all":
            while (takeOne());
            // After a tick the next one is in the future.
            expect(deadlines.next() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
            break;
          default:
            step satisfies never;
        }
        // An alarm that is set to `next` whenever that may be earlier is never late.
        if (deadlines.mayBeEarlier) alarmAt = deadlines.next() ?? Number.POSITIVE_INFINITY;
        expect(alarmAt).toBeLessThanOrEqual(soonest());
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect(takenInAll, `taken in all, with seed ${SEED}`).toBeGreaterThan(200);
});

test.each([
  ["is whole, and never more than is left", 199.9, 199],
  ["grows by no rounding of instants", 1000.3 + 200 - 1000.3, 200],
  ["shrinks by no rounding of instants", 199.999_999_9, 200],
  ["is at least 1", 0.2, 1],
])("the time that is left, as it is written, %s", (_title, leftMs, written) => {
  expect(leftToWire(leftMs)).toBe(written);
});

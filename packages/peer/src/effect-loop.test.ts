import { uncaughtErrors } from "@pigato/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { type Core, EffectLoop, type Shell, type Tick } from "./effect-loop.ts";

interface Input {
  readonly type: string;
}
type Effect = string;
interface Notice {
  readonly run: () => void;
}

/** A clock that stands still, and the alarm of the loop. */
class StillClock {
  time = 0;
  setTo: number | undefined;
  ring: () => void = () => {};

  now(): number {
    return this.time;
  }

  alarm(ring: () => void): { set(at: number | undefined): void } {
    this.ring = ring;
    return {
      set: (at) => {
        this.setTo = at;
      },
    };
  }
}

let uncaught: readonly Error[] = [];

beforeEach(() => {
  uncaught = uncaughtErrors();
});

/** A loop over a core that answers each input with the effects in `script`, and a log in order. */
function newLoop(script: Record<string, readonly Effect[]>, acts: Record<string, () => void> = {}) {
  const log: string[] = [];
  const clock = new StillClock();
  const core: Core<Input, Effect> & { mayWakeEarlier?: boolean; deadline: number } = {
    deadline: 42,
    handle: (input: Input | Tick, now) => {
      log.push(`handle ${input.type} at ${now}`);
      const effects = script[input.type];
      if (effects === undefined) throw new Error(`no script for ${input.type}`);
      return effects;
    },
    nextDeadline: () => core.deadline,
  };
  const shell: Shell<Effect, Notice> = {
    perform: (effect) => {
      log.push(`perform ${effect}`);
      acts[effect]?.();
    },
    deliver: (notice) => notice.run(),
    settle: () => acts.settle?.(),
  };
  const loop = new EffectLoop<Input, Effect, Notice>(core, shell, clock);
  return { loop, log, clock, core };
}

/** Waits for asynchronously thrown exceptions. */
async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("the effect loop", () => {
  test("performs all effects of an input before the next input", () => {
    const { loop, log } = newLoop({ one: ["a", "b"], two: ["c"] }, { a: () => loop.apply({ type: "two" }) });
    loop.apply({ type: "one" });
    expect(log).toEqual(["handle one at 0", "perform a", "perform b", "handle two at 0", "perform c"]);
  });

  test("handles queued inputs in the order in which they were applied", () => {
    const { loop, log } = newLoop(
      { one: ["a"], two: ["b"], three: [], four: [] },
      {
        a: () => {
          loop.apply({ type: "two" });
          loop.apply({ type: "three" });
        },
        b: () => loop.apply({ type: "four" }),
      },
    );
    loop.apply({ type: "one" });
    expect(log.filter((line) => line.startsWith("handle"))).toEqual([
      "handle one at 0",
      "handle two at 0",
      "handle three at 0",
      "handle four at 0",
    ]);
  });

  test("sets the alarm to the next deadline, and ticks when it rings", () => {
    const { loop, log, clock } = newLoop({ one: [], tick: [] });
    loop.apply({ type: "one" });
    expect(clock.setTo).toBe(42);
    clock.time = 42;
    clock.ring();
    expect(log).toEqual(["handle one at 0", "handle tick at 42"]);
  });

  test("sets the alarm only if the core's next deadline may be earlier, or after it has rung", () => {
    const { loop, clock, core } = newLoop({ one: [], two: [], three: [], tick: [] });
    core.mayWakeEarlier = false;
    loop.apply({ type: "one" });
    expect(clock.setTo).toBeUndefined();
    core.mayWakeEarlier = true;
    loop.apply({ type: "two" });
    expect(clock.setTo).toBe(42);
    core.mayWakeEarlier = false;
    core.deadline = 50;
    loop.apply({ type: "three" });
    expect(clock.setTo).toBe(42);
    clock.ring();
    expect(clock.setTo).toBe(50);
  });

  test("lets the shell apply inputs behind those already queued", () => {
    let isUnsettled = false;
    const { loop, log } = newLoop(
      { one: ["a"], undelivered: [], down: [] },
      {
        a: () => {
          isUnsettled = true;
          loop.apply({ type: "undelivered" });
        },
        settle: () => {
          if (isUnsettled) loop.apply({ type: "down" });
          isUnsettled = false;
        },
      },
    );
    loop.apply({ type: "one" });
    expect(log).toEqual(["handle one at 0", "perform a", "handle undelivered at 0", "handle down at 0"]);
  });

  test("delivers notices after the effects of every queued input, in order, and never within each other", () => {
    const { loop, log } = newLoop(
      { one: ["a", "b"], two: ["c"], three: ["d"] },
      {
        a: () => {
          loop.notify({
            run: () => {
              log.push("first begins");
              loop.notify({ run: () => log.push("third") });
              loop.apply({ type: "three" });
              log.push("first ends");
            },
          });
          loop.notify({ run: () => log.push("second") });
          loop.apply({ type: "two" });
        },
      },
    );
    loop.apply({ type: "one" });
    expect(log).toEqual([
      "handle one at 0",
      "perform a",
      "perform b",
      "handle two at 0",
      "perform c",
      "first begins",
      "handle three at 0",
      "perform d",
      "first ends",
      "second",
      "third",
    ]);
  });

  test("delivers a notice at once when nothing is under way", () => {
    const { loop, log } = newLoop({});
    loop.notify({ run: () => log.push("now") });
    expect(log).toEqual(["now"]);
  });

  test("ignores inputs and ticks after it is closed, and still delivers notices", () => {
    const { loop, log, clock } = newLoop(
      { one: ["a", "b"], two: [] },
      {
        a: () => {
          loop.apply({ type: "two" });
          loop.notify({ run: () => log.push("notice") });
          loop.close();
        },
      },
    );
    loop.apply({ type: "one" });
    clock.ring();
    loop.apply({ type: "two" });
    expect(log).toEqual(["handle one at 0", "perform a", "perform b", "notice"]);
    expect(clock.setTo).toBeUndefined();
  });
});

describe("an exception becomes uncaught and the effect loop continues when it is thrown by", () => {
  const failure = new Error("thrown on purpose");
  const fail = (): never => {
    throw failure;
  };

  test("an effect", async () => {
    const { loop, log } = newLoop({ one: ["a", "b"], two: ["c"] }, { a: fail });
    loop.apply({ type: "one" });
    loop.apply({ type: "two" });
    expect(log).toEqual(["handle one at 0", "perform a", "perform b", "handle two at 0", "perform c"]);
    await nextTurn();
    expect(uncaught).toEqual([failure]);
  });

  test("a notice", async () => {
    const { loop, log } = newLoop({ one: [] });
    loop.notify({ run: fail });
    loop.notify({ run: () => log.push("second") });
    loop.apply({ type: "one" });
    expect(log).toEqual(["second", "handle one at 0"]);
    await nextTurn();
    expect(uncaught).toEqual([failure]);
  });

  test("the core", async () => {
    const { loop, log, clock } = newLoop({ one: [] });
    loop.apply({ type: "unknown" });
    loop.apply({ type: "one" });
    expect(log).toEqual(["handle unknown at 0", "handle one at 0"]);
    expect(clock.setTo).toBe(42);
    await nextTurn();
    expect(uncaught).toEqual([new Error("no script for unknown")]);
  });

  test("the settling of effects", async () => {
    const { loop, log } = newLoop({ one: [] }, { settle: fail });
    loop.apply({ type: "one" });
    loop.apply({ type: "one" });
    expect(log).toEqual(["handle one at 0", "handle one at 0"]);
    await nextTurn();
    expect(uncaught).toEqual([failure, failure]);
  });

  test("the clock", async () => {
    const { loop, log, clock } = newLoop({ one: [] });
    clock.now = fail;
    loop.apply({ type: "one" });
    clock.now = () => 7;
    loop.apply({ type: "one" });
    expect(log).toEqual(["handle one at 0", "handle one at 7"]);
    await nextTurn();
    expect(uncaught).toEqual([failure]);
  });
});

test("a clock that throws, goes back or is no number loses no input", async () => {
  const { loop, clock, log } = newLoop({ a: [], b: [], c: [], d: [], e: [] });
  const times: (() => number)[] = [
    () => {
      throw new Error("no time");
    },
    () => 5,
    () => Number.NaN,
    () => 4,
    () => {
      throw new Error("no time");
    },
  ];
  for (const [index, type] of ["a", "b", "c", "d", "e"].entries()) {
    clock.now = times[index] ?? (() => 0);
    loop.apply({ type });
  }
  expect(log.filter((line) => line.startsWith("handle"))).toEqual([
    "handle a at 0",
    "handle b at 5",
    "handle c at 5",
    "handle d at 5",
    "handle e at 5",
  ]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught).toEqual([new Error("no time"), new Error("no time")]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_PREFIX_BYTES, MAX_PREFIXES } from "../prefixes.ts";
import { readSubscription, Subscriptions } from "./subscriptions.ts";

const PARAMETERS = { numRuns: Number(process.env.PIGATO_FUZZ_RUNS ?? 300), seed: Number(process.env.PIGATO_FUZZ_SEED) };

describe("the subscribers of a message", () => {
  test("are those with a prefix of it, each once", () => {
    const subscriptions = new Subscriptions<string>();
    for (const prefix of ["", "st", "state"]) subscriptions.add("several", prefix);
    subscriptions.add("exact", "state 1");
    subscriptions.add("longer", "state 12");
    expect([...subscriptions.matching("state 1")].sort()).toEqual(["exact", "several"]);
  });

  test("do not include one that canceled, however often it had subscribed", () => {
    const subscriptions = new Subscriptions<string>();
    subscriptions.add("s", "state");
    subscriptions.add("s", "state");
    subscriptions.remove("s", "state");
    expect(subscriptions.matching("state").size).toBe(0);
  });

  test("are those that a scan of all prefixes finds, after any script", () => {
    const subscriber = fc.constantFrom("a", "b", "c");
    const text = fc.string({ unit: fc.constantFrom("x", "y", "\u00ff"), maxLength: 4 });
    const step = fc.oneof(
      fc.record({ type: fc.constant("add"), subscriber, prefix: text }),
      fc.record({ type: fc.constant("remove"), subscriber, prefix: text }),
      fc.record({ type: fc.constant("removeAll"), subscriber, prefix: text }),
    );
    let found = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), text, (steps, start) => {
        const subscriptions = new Subscriptions<string>();
        const model = new Map<string, Set<string>>();
        for (const each of steps) {
          const prefixes = model.get(each.subscriber) ?? new Set();
          model.set(each.subscriber, prefixes);
          if (each.type === "add") {
            expect(subscriptions.add(each.subscriber, each.prefix)).toBeUndefined();
            prefixes.add(each.prefix);
          } else if (each.type === "remove") {
            subscriptions.remove(each.subscriber, each.prefix);
            prefixes.delete(each.prefix);
          } else {
            subscriptions.removeAll(each.subscriber);
            prefixes.clear();
          }
        }
        const wanted = [...model].filter(([, prefixes]) => [...prefixes].some((prefix) => start.startsWith(prefix)));
        found += wanted.length;
        expect([...subscriptions.matching(start)].sort()).toEqual(wanted.map(([name]) => name).sort());
      }),
      PARAMETERS,
    );
    expect(found).toBeGreaterThan(PARAMETERS.numRuns / 10);
  });
});

test("a subscriber may have as many prefixes as the bound allows, and replace them", () => {
  const subscriptions = new Subscriptions<string>();
  for (let number = 0; number < MAX_PREFIXES; number++) expect(subscriptions.add("s", `${number}`)).toBeUndefined();
  expect(subscriptions.add("s", "0")).toBeUndefined();
  expect(subscriptions.add("s", "more")).toMatchObject({ code: "TOO_MANY_SUBSCRIPTIONS" });
  expect(subscriptions.add("another", "more")).toBeUndefined();
  subscriptions.remove("s", "0");
  expect(subscriptions.add("s", "more")).toBeUndefined();
});

test("a prefix may be as long as the bound allows", () => {
  const subscriptions = new Subscriptions<string>();
  expect(subscriptions.add("s", "x".repeat(MAX_PREFIX_BYTES))).toBeUndefined();
  expect(subscriptions.add("s", "x".repeat(MAX_PREFIX_BYTES + 1))).toMatchObject({ code: "FRAME_TOO_LARGE" });
});

test.each<[string, number[][], ReturnType<typeof readSubscription>]>([
  ["1 and a prefix", [[1, 97, 255]], { prefix: "a\u00ff", isSubscribed: true }],
  ["1 alone", [[1]], { prefix: "", isSubscribed: true }],
  ["0 and a prefix", [[0, 97]], { prefix: "a", isSubscribed: false }],
  ["anything else", [[2, 97]], undefined],
  ["nothing", [[]], undefined],
  ["several frames", [[1, 97], [98]], undefined],
])("a message of %s is decoded", (_what, frames, expected) => {
  expect(readSubscription(frames.map((bytes) => Buffer.from(bytes)))).toEqual(expected);
});

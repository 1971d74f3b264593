import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Holding, SendBudget } from "./send-budget.ts";

const LIMITS = { maxSendingBytes: 1_000 };

let budget: SendBudget;
let evicted: string[];
let details: string[];

beforeEach(() => {
  budget = new SendBudget(LIMITS);
  evicted = [];
  details = [];
});

function newHolding(peer: string): Holding {
  return new Holding(budget, ({ detail }) => {
    evicted.push(peer);
    details.push(detail);
  });
}

/** A new holding with so much. */
function holding(peer: string, bytes: number): Holding {
  const created = newHolding(peer);
  budget.count(created, bytes);
  return created;
}

describe("at the bound of all peers", () => {
  test("the largest holder is evicted, however little the last one adds", () => {
    holding("large", 600);
    const other = holding("other", 300);
    holding("small", 100);
    expect(evicted).toEqual([]);
    budget.count(other, 1);
    expect(evicted).toEqual(["large"]);
    expect(details).toEqual([
      "more than 1000 bytes wait for all peers, and most for this one, which reads too slowly: 600 bytes",
    ]);
    expect(budget.bytes).toBe(401);
  });

  test("the holder that adds is evicted if it holds most, and as many are evicted as necessary", () => {
    for (let peer = 0; peer < 10; peer++) holding(String(peer), 100);
    holding("grown", 950);
    expect(evicted).toEqual(["grown"]);
    holding("half", 500);
    expect(evicted).toEqual(["grown", "half"]);
    holding("small", 90);
    expect(evicted).toHaveLength(3);
    expect(budget.bytes).toBe(990);
  });

  test("the only holder stays: its own bound limits it", () => {
    const only = holding("only", 5_000);
    expect(evicted).toEqual([]);
    holding("second", 10);
    expect(evicted).toEqual(["only"]);
    budget.count(only, 10_000);
    budget.count(only, -15_000);
    expect(budget.bytes).toBe(10);
  });
});

test("the bound holds after any changes, and the evicted holder is the largest to within an eighth", () => {
  const peer = fc.nat(7);
  const change = fc.record({ peer, bytes: fc.oneof(fc.constant<"all">("all"), fc.integer({ min: 1, max: 800 })) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
      const model = new Map<number, number>();
      const subject = new SendBudget(LIMITS);
      const create = (name: number) =>
        new Holding(subject, () => {
          expect(model.get(name) ?? 0).toBeGreaterThanOrEqual(Math.floor(Math.max(...model.values()) * (7 / 8)));
          model.delete(name);
        });
      const holdings = Array.from({ length: 8 }, (_, name) => create(name));
      for (const { peer: name, bytes } of changes) {
        const current = holdings[name];
        const known = current === undefined || current.isEvicted ? create(name) : current;
        holdings[name] = known;
        const delta = bytes === "all" ? -known.bytes : bytes;
        model.set(name, known.bytes + delta);
        if (known.bytes + delta === 0) model.delete(name);
        subject.count(known, delta);
        expect(subject.bytes).toBe([...model.values()].reduce((sum, each) => sum + each, 0));
        expect(subject.bytes <= LIMITS.maxSendingBytes || model.size === 1).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

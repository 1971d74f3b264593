import { serviceName } from "@pigato/protocol";
import fc from "fast-check";
import { maxSatisfying, parse, Range } from "semver";
import { expect, test } from "vitest";
import type { Service } from "./queued-request.ts";
import { aService } from "./testing/records.ts";
import { Versions } from "./versions.ts";

const anyVersion = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 3 })).map((parts) => parts.join("."));
const anyPart = fc.oneof(
  anyVersion,
  anyVersion,
  fc.constantFrom("1", "1.x", "0.2", "*", "2.0.0-0", "1.2.0-beta.3", "4.0.0"),
);
const anyBounds = fc.oneof(
  fc.tuple(fc.constantFrom("", "=", "^", "~", ">", ">=", "<", "<="), anyPart).map((parts) => parts.join("")),
  fc
    .tuple(fc.constantFrom(">", ">="), anyPart, fc.constantFrom("<", "<="), anyPart)
    .map(([a, b, c, d]) => `${a}${b} ${c}${d}`),
  fc.tuple(anyPart, anyPart).map((parts) => parts.join(" - ")),
);
const anyRange = fc.array(anyBounds, { minLength: 1, maxLength: 3 }).map((sets) => sets.join(" || "));

test("the binary search finds the same highest version within any range as a linear search", () => {
  const found = { none: 0, some: 0 };
  const steps = fc.array(fc.tuple(fc.boolean(), anyVersion), { minLength: 5, maxLength: 25 });
  fc.assert(
    fc.property(steps, fc.array(anyRange, { minLength: 5 }), (changes, ranges) => {
      const versions = new Versions<Service>();
      const offered = new Set<string>();
      for (const [isComing, text] of changes) {
        const version = parse(text);
        if (version === null) throw new Error(`${text} is no version`);
        if (isComing && !offered.has(text)) versions.add(version, aService(serviceName(text)));
        if (!isComing) versions.remove(version);
        if (isComing) offered.add(text);
        else offered.delete(text);
      }
      for (const range of ranges) {
        const expected = maxSatisfying([...offered], range) ?? undefined;
        found[expected === undefined ? "none" : "some"] += 1;
        expect(versions.highestIn(new Range(range))?.name, range).toBe(expected);
      }
      expect(versions.isEmpty).toBe(offered.size === 0);
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
  expect(Math.min(found.none, found.some)).toBeGreaterThan(50);
});

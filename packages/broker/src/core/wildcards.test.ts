import { serviceName } from "@pigato/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Service } from "./queued-request.ts";
import { aService } from "./testing/records.ts";
import { Wildcards } from "./wildcards.ts";

const anyName = fc.array(fc.constantFrom("a", "b"), { maxLength: 5 }).map((letters) => letters.join(""));

test("the binary search finds the same longest wildcard as a linear search", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), anyName), { maxLength: 25 }), fc.array(anyName), (changes, names) => {
      const wildcards = new Wildcards<Service>();
      const prefixes = new Set<string>();
      for (const [isComing, prefix] of changes) {
        if (!isComing) wildcards.remove(prefix);
        else if (!prefixes.has(prefix)) wildcards.add(prefix, aService(serviceName(`${prefix}*`)));
        if (isComing) prefixes.add(prefix);
        else prefixes.delete(prefix);
      }
      for (const name of names) {
        const fitting = [...prefixes].filter((prefix) => name.startsWith(prefix));
        const longest = fitting.sort((left, right) => right.length - left.length)[0];
        expect(wildcards.longestFor(name)?.name).toBe(longest === undefined ? undefined : `${longest}*`);
      }
    }),
    { seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

// The ranking of the site's search. The site sends the source of the function to the browser.

import { expect, test } from "vitest";
import { boostDocument } from "../../../../docs/.vitepress/search.ts";

test("guides rank above reference, and both above what only maintainers read", () => {
  const groups = [
    ["/how-to/cancel#cancel-a-call", "/tutorials/first-service"],
    ["/reference/options#broker", "/explanation/reliability"],
    ["/reference/protocol#p-cancel-1", "/explanation/architecture", "/explanation/promises"],
  ];
  const boosts = groups.map((ids) => ids.map(boostDocument));
  for (const [index, lower] of boosts.slice(1).entries())
    expect(Math.min(...(boosts[index] ?? []))).toBeGreaterThan(Math.max(...lower));
  for (const internal of ["/decisions/0011-stored-requests", "/api/@pigato/client#cancel", "/benchmarks/"])
    expect(boostDocument(internal)).toBeLessThan(1);
});

test("the ranking uses nothing outside of itself", () => {
  const copy: unknown = new Function(`return ${boostDocument}`)();
  expect(typeof copy === "function" && copy("/how-to/cancel")).toBe(boostDocument("/how-to/cancel"));
});

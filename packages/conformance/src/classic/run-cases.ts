// Runs the cases that a combination of libraries supports. Cases without side effects share a system; each of the others gets
// its own.

import { afterAll, beforeAll, describe, test } from "vitest";
import type { Case } from "./cases.ts";
import { DISPATCH_CASES } from "./dispatch-cases.ts";
import { LIFECYCLE_CASES } from "./lifecycle-cases.ts";
import { BRISK, MixedSystem, type Trio } from "./mixed-system.ts";
import { REPLY_CASES } from "./reply-cases.ts";

export function runCases(trio: Trio): void {
  const holds = ({ ourBrokerOnly }: Case): boolean => trio.broker === "ours" || ourBrokerOnly !== true;

  describe("on one broker", () => {
    let opening: Promise<MixedSystem>;
    beforeAll(() => {
      opening = MixedSystem.open(trio);
      return opening;
    });
    afterAll(async () => (await opening).close());
    for (const { name, run } of [...REPLY_CASES, ...DISPATCH_CASES].filter(holds)) {
      test(name, async () => run(await opening));
    }
  });

  describe("on a broker of its own", () => {
    for (const { name, run } of LIFECYCLE_CASES.filter(holds)) {
      test(name, async () => {
        const system = await MixedSystem.open(trio, BRISK);
        try {
          await run(system);
        } finally {
          await system.close();
        }
      });
    }
  });
}

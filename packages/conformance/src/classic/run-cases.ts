// Runs the cases that hold for a trio: those that leave nothing behind share a stage, the others get one each.

import { afterAll, beforeAll, describe, test } from "vitest";
import type { Case } from "./cases.ts";
import { DISPATCH_CASES } from "./dispatch-cases.ts";
import { LIFECYCLE_CASES } from "./lifecycle-cases.ts";
import { REPLY_CASES } from "./reply-cases.ts";
import { BRISK, Stage, type Trio } from "./stage.ts";

export function runCases(trio: Trio): void {
  const holds = ({ ourBrokerOnly }: Case): boolean => trio.broker === "ours" || ourBrokerOnly !== true;

  describe("on one broker", () => {
    let opening: Promise<Stage>;
    beforeAll(() => {
      opening = Stage.open(trio);
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
        const stage = await Stage.open(trio, BRISK);
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      });
    }
  });
}

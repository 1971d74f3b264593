import { afterEach, expect, test, vi } from "vitest";
import { BrokerCore } from "../core.ts";
import { scenario } from "./scenario.ts";

afterEach(() => vi.restoreAllMocks());

test("a scenario fails at once when the core is always due", () => {
  const sim = scenario();
  vi.spyOn(BrokerCore.prototype, "nextDeadline").mockImplementation(() => sim.now);
  expect(() => sim.advance(1_000)).toThrow("the core asks for a tick without end at 1000");
});

test("a scenario fails at once when effects and inputs cause each other", () => {
  const sim = scenario({ isChecked: false });
  vi.spyOn(BrokerCore.prototype, "handle").mockReturnValue([{ type: "confirm", address: "~1" }]);
  expect(() => sim.drain(0)).toThrow("effects cause inputs without end at 1000");
});

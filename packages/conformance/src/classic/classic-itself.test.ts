import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("the original with itself is the baseline of these suites", () => {
  runCases({ client: "classic", broker: "classic", worker: "classic" });
});

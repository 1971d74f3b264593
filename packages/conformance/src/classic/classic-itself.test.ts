import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("the original among itself: what these suites rest on", () => {
  runCases({ client: "classic", broker: "classic", worker: "classic" });
});

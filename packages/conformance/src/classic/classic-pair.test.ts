import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("the original's client and worker around our broker", () => {
  runCases({ client: "classic", broker: "ours", worker: "classic" });
});

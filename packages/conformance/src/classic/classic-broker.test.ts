import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("our client and worker around the original's broker", () => {
  runCases({ client: "ours", broker: "classic", worker: "ours" });
});

import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("our client, our broker and the original's worker", () => {
  runCases({ client: "ours", broker: "ours", worker: "classic" });
});

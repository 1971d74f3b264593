import { describe } from "vitest";
import { runCases } from "./run-cases.ts";

describe("the original's client, our broker and our worker", () => {
  runCases({ client: "classic", broker: "ours", worker: "ours" });
});

import { randomInt } from "node:crypto";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// The short form of the random tests runs the same scripts each time, so that a failure belongs to the change under test. The
// long forms (`pnpm fuzz`) search for new failures: with a random seed, which they print.
const { PIGATO_FUZZ_RUNS: runs, PIGATO_FUZZ_FRAMES: frames, PIGATO_FUZZ_SEED: given } = process.env;
const isLong = runs !== undefined || frames !== undefined;
const seed = given ?? (isLong ? String(randomInt(2 ** 31)) : "1");

const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ["@pigato/source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/**/*.test.ts"],
    env: { PIGATO_FUZZ_SEED: seed, PIGATO_SHRINK_MS: String(isLong ? 600_000 : 5_000) },
    exclude: ["**/node_modules/**", "**/dist/**"],
    setupFiles: "packages/testkit/src/shrink-limit.ts",
    globalSetup: ["packages/testkit/src/foreign-peers/find-tools.ts", "packages/testkit/src/programs/setup.ts"],
    // A leaked native socket aborts a whole run of threads, but only one fork.
    pool: "forks",
    // Tests wait more than they compute. By default Vitest leaves one core unused.
    maxWorkers: "100%",
    reporters: ["default", "./.ci/count-reporter.ts"],
    // Only a hang reaches these: on a busy machine, an event takes a hundred times as long as on an idle one. No test takes one of
    // them as its bound.
    expect: { poll: { timeout: 30_000, interval: 5 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;

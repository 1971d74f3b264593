import { randomInt } from "node:crypto";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// The short form of the random tests plays the same scripts each time, so that whoever breaks something sees red, and nobody
// else does. The long forms (`pnpm fuzz`) look for what nobody has seen yet: with a seed of their own, which they print.
const { PIGATO_FUZZ_RUNS: runs, PIGATO_FUZZ_FRAMES: frames, PIGATO_FUZZ_SEED: given } = process.env;
const isLong = runs !== undefined || frames !== undefined;
const seed = given ?? (isLong ? String(randomInt(2 ** 31)) : "1");

const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ["@pigato/source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/**/*.test.ts"],
    env: { PIGATO_FUZZ_SEED: seed },
    exclude: ["**/node_modules/**", "**/dist/**"],
    globalSetup: "packages/testkit/src/foreign-peers/find-tools.ts",
    // A leaked native socket aborts a whole run of threads; a fork takes only itself down.
    pool: "forks",
    // Tests wait more than they compute; by default one core would be left to others.
    maxWorkers: "100%",
    reporters: ["default", "./.ci/count-reporter.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});

export default config;

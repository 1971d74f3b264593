import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ["@pigato/source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
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

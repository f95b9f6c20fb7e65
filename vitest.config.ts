import { defineConfig } from "vitest/config";

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{core,backends,server,node,cli,browser,scripts,bench}/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts", "**/*.edge.test.ts", "**/node_modules/**"],
          pool: "threads",
          testTimeout: 30_000, // a busy machine is no failure
        },
      },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], testTimeout: 120_000, pool: "forks" } },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts", "browser/**/*.browser.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          pool: "forks",
          fileParallelism: false,
        },
      },
      "./vitest.edge.config.ts", // inside workerd
      {
        // Messages are compared without colours, which CI=true alone would switch on.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          env: { NO_COLOR: "1" },
          testTimeout: 180_000,
          hookTimeout: 120_000,
          pool: "forks",
        },
      },
    ],
  },
});

export default config;

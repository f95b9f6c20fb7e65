import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// Nothing here may try the network: neither statistics nor the copy of the edge's request metadata.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
});

const config: ReturnType<typeof defineConfig> = defineConfig({
  plugins: [cloudflareTest({ miniflare: { compatibilityDate: "2026-06-01" } })],
  test: { name: "edge", include: ["test/edge/**/*.edge.test.ts"], globalSetup: ["test/edge/global-setup.ts"], testTimeout: 60_000 },
});

export default config;

import { defineConfig } from 'vitest/config';

/** `npm run screenshots`: pictures of every page of the console. */
export default defineConfig({
  resolve: { conditions: ['@agentapi-proxy/source'] },
  ssr: { resolve: { conditions: ['@agentapi-proxy/source'] } },
  test: { include: ['test/screenshots/console-pictures.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});

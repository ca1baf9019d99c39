import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './tools/src/summary-reporter.ts';

export default defineConfig({
  resolve: { conditions: ['@agentapi-proxy/source'] },
  ssr: { resolve: { conditions: ['@agentapi-proxy/source'] } },
  test: {
    // Real processes and sockets: a start of a session takes well under a second, a busy machine longer.
    // They wait for processes more than they compute, so one more than the two cores of a small machine pays.
    maxWorkers: Math.max(3, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A busy machine takes seconds for what usually takes a moment.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        // They leave nothing behind, so one process after the other takes many files.
        test: { name: 'units', include: ['packages/*/src/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          globalSetup: ['test/support/build-programs.setup.ts'],
          setupFiles: ['test/support/check-answers.setup.ts'],
        },
      },
    ],
  },
});

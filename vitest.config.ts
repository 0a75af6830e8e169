import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,agent,cli,local,local/realtime}/test/**/*.test.ts', 'tests/**/*.test.ts'],
    // Most files start servers of their own; more workers than cores only make their deadlines late.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});

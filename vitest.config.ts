import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest: begun first, so that no worker is left alone with one of them at the end. */
const LONGEST =
  /\/(agent\/test\/(walls|uncaught-errors)|tests\/(demo|docs\/commands|cli\/(stack|slice|joining|doctor)|database\/(schema|postgres-15|bad-input|scheduler-oracle)|agent\/(liveness|logs|faults|browser|conformance)|security\/rights-matrix|stack\/lifecycle))\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['{core,file-lock,agent,cli,local,local/realtime}/test/**/*.test.ts', 'tests/**/*.test.ts'],
    // Most files start servers of their own, and wait for them; one worker more than the two cores of the smallest machine uses
    // the waiting. A fourth made deadlines late and the whole no sooner (935 and 956 seconds).
    maxWorkers: 3,
    pool: 'forks',
    // Files share the processes of the workers: to load and compile the same modules for each of them was a tenth of the whole run.
    isolate: false,
    setupFiles: ['tests/harness/each-file.ts'],
    sequence: { sequencer: LongestFirst },
    // An agent tries its walls when it starts; the tests of walls say which they mean.
    env: { STARK_AGENT_ISOLATION: process.env.STARK_AGENT_ISOLATION ?? 'none' },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});

/** What a pack of the suite is run with, and what must become of it wherever it runs. */
export interface ConformanceCase {
  name: string;
  /** The file in `packs/`. */
  pack: string;
  spec?: Record<string, unknown>;
  /** The pod is asked to stop once it has written this line. */
  stopAfter?: string;
  /** The first state in which the pod is as this says is what it is compared in. */
  until: (pod: ObservedPod) => boolean;
  expect: Partial<ObservedPod>;
  /** Only so many lines are compared, where a pod writes them again with every restart. */
  lines?: number;
}

/** What anybody can see of a pod from outside. */
export interface ObservedPod {
  status: string;
  status_reason: string | null;
  status_message: string | null;
  exit_code: number | null;
  restarts: number;
  ready: boolean;
}

const over = ({ status }: ObservedPod) => ['succeeded', 'failed', 'stopped'].includes(status);
const crashed = ({ status_reason }: ObservedPod) => status_reason === 'CrashLoopBackOff';
const NEVER = { restartPolicy: 'Never' };
const succeeded: Partial<ObservedPod> = { status: 'succeeded', status_reason: 'Completed', exit_code: 0, restarts: 0 };
const failed: Partial<ObservedPod> = { status: 'failed', exit_code: 1, restarts: 0, ready: false };

/** The suite; `url` is a server that allows every origin. */
export function conformanceCases(url: string): readonly ConformanceCase[] {
  return [
    {
      name: 'context',
      pack: 'context.js',
      spec: { ...NEVER, config: { nested: { list: [1, 'two'] } }, env: { MODE: 'test', EMPTY: '' } },
      until: over,
      expect: succeeded,
    },
    { name: 'log', pack: 'log.js', spec: NEVER, until: over, expect: succeeded },
    { name: 'storage', pack: 'storage.js', spec: NEVER, until: over, expect: succeeded },
    {
      name: 'storage and back-off over restarts',
      pack: 'restarts.js',
      spec: { restartPolicy: 'OnFailure' },
      until: over,
      expect: { ...succeeded, restarts: 2 },
    },
    { name: 'fetch', pack: 'fetch.js', spec: { ...NEVER, config: { url } }, until: over, expect: succeeded },
    {
      name: 'signal on stop',
      pack: 'signal.js',
      stopAfter: 'serving',
      until: over,
      expect: { status: 'stopped', status_reason: 'Stopped', exit_code: 0, ready: false },
    },
    {
      name: 'killed after its grace period',
      pack: 'deaf.js',
      spec: { terminationGracePeriodSeconds: 1 },
      stopAfter: 'serving',
      until: over,
      expect: { status: 'stopped', status_reason: 'Killed', exit_code: 137, ready: false },
    },
    {
      name: 'ready when it says so',
      pack: 'ready.js',
      spec: { readinessProbe: { packReady: {} } },
      until: ({ ready }) => ready,
      expect: { status: 'running', ready: true, restarts: 0 },
    },
    { name: 'a task that is done', pack: 'returns.js', spec: NEVER, until: over, expect: succeeded },
    {
      name: 'a service that returns',
      pack: 'returns.js',
      until: crashed,
      expect: { status: 'starting', exit_code: 0, ready: false },
      lines: 1,
    },
    {
      name: 'throws at once',
      pack: 'throws.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'Error', status_message: 'TypeError: thrown at once' },
    },
    {
      name: 'a service that crashes',
      pack: 'throws.js',
      until: crashed,
      expect: { status: 'starting', exit_code: 1, ready: false },
      lines: 1,
    },
    {
      name: 'rejects with no error',
      pack: 'rejects.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'Error', status_message: 'only a text' },
    },
    {
      name: 'an unhandled rejection',
      pack: 'unhandled.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'Error', status_message: 'RangeError: caught by nobody' },
    },
    {
      name: 'an unhandled rejection with no error',
      pack: 'unhandled-text.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'Error', status_message: 'nobody caught this text' },
    },
    {
      name: 'throws in a timer',
      pack: 'timer.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'Error', status_message: 'Error: thrown in a timer' },
    },
    {
      name: 'is no program',
      pack: 'broken.txt',
      until: over,
      expect: { ...failed, status_reason: 'StartFailed', status_message: "SyntaxError: Unexpected identifier 'is'" },
    },
    {
      name: 'has nothing to call',
      pack: 'nothing.js',
      until: over,
      expect: {
        ...failed,
        status_reason: 'StartFailed',
        status_message: 'the bundle\'s export "default" is missing, not a function',
      },
    },
    {
      name: 'throws while it is loaded',
      pack: 'import-fails.js',
      spec: NEVER,
      until: over,
      expect: { ...failed, status_reason: 'StartFailed', status_message: 'Error: thrown while loading' },
    },
    { name: 'globals', pack: 'globals.js', spec: NEVER, until: over, expect: succeeded },
    { name: 'supabase', pack: 'supabase.js', spec: NEVER, until: over, expect: succeeded },
  ];
}

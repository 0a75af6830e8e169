import { afterEach, describe, expect, it } from 'vitest';
import { PodSandbox } from '../src/browser/pod-sandbox.js';
import { describeRun } from '../src/executor/describe-run.js';
import type { FromFrame, StorageRequest } from '../src/pod/browser/protocol.js';
import type { CapturedLine } from '../src/pod/shared/log-record.js';
import type { ExitOutcome } from '../src/reconciler/pod.js';
import { FakeClock } from './support/fake-clock.js';
import { aPod } from './support/pods.js';
import { until } from './support/wait.js';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A pod's sandbox as its agent has it, with both of its channels in the hands of the test. */
function aSandbox() {
  const seen: string[] = [];
  const lines: CapturedLine[] = [];
  const asked: StorageRequest[] = [];
  let end: ExitOutcome | undefined;
  let [frame, pod] = [undefined as MessagePort | undefined, undefined as MessagePort | undefined];
  const request = { pod: aPod(), bundle: 'b', ports: {} };
  const sandbox = new PodSandbox({
    frames: {
      open: (_, [first, second]) => {
        [frame, pod] = [first, second];
        ports.push(first, second);
      },
      show: () => seen.push('shown'),
      close: () => seen.push('closed'),
    },
    clock: new FakeClock(),
    run: describeRun(request, 'b', { nodeName: 'n', project: { url: 'http://127.0.0.1:9', key: 'k' } }),
    bundle: Promise.resolve(new ArrayBuffer(0)),
    assets: undefined,
    supabaseSource: '',
    listener: {
      started: () => seen.push('started'),
      ready: () => seen.push('ready'),
      exited: (outcome) => (end = outcome),
    },
    onLine: (line) => lines.push(line),
    onDropped: (count) => seen.push(`dropped ${count}`),
    onMetrics: (metrics) => seen.push(JSON.stringify(metrics)),
    onGone: () => seen.push('gone'),
    store: async (storageRequest) => asked.push(storageRequest),
  });
  return {
    ...{ sandbox, seen, lines, asked, frame: frame as unknown as MessagePort, pod: pod as unknown as MessagePort },
    outcome: () => until('its end', () => end),
  };
}

const deep = JSON.parse(`${'['.repeat(3_000)}${']'.repeat(3_000)}`);

/** What a pack could say on the channel, and no runtime does. */
const MALFORMED: [string, unknown][] = [
  ['nothing', null],
  ['undefined', undefined],
  ['a number', 1],
  ['a text', 'lines'],
  ['a date', new Date(0)],
  ['a list', []],
  ['no type', {}],
  ['an unknown type', { type: 'launch' }],
  ['a type that is a list', { type: ['exit'] }],
  ['lines that are none', { type: 'lines', lines: null, dropped: 0 }],
  ['lines that are text', { type: 'lines', lines: ['x'], dropped: 0 }],
  ['a line that is null', { type: 'lines', lines: [null], dropped: 0 }],
  ['a line that is a number', { type: 'lines', lines: [1], dropped: 0 }],
  ['a line without a stream', { type: 'lines', lines: [{ text: 'x' }], dropped: 0 }],
  ['a line that is no text', { type: 'lines', lines: [{ stream: 'stdout', text: deep }], dropped: 0 }],
  ['a record that is no text', { type: 'lines', lines: [{ record: deep }], dropped: 0 }],
  ['a loss that is no number', { type: 'lines', lines: [], dropped: 'x' }],
  ['an endless loss', { type: 'lines', lines: [], dropped: Number.POSITIVE_INFINITY }],
  ['a wish for nothing', { type: 'storage', id: 1 }],
  ['a wish that is null', { type: 'storage', id: 1, request: null }],
  ['a wish without a number', { type: 'storage', id: {}, request: { op: 'get', key: 'a' } }],
  ['a key that is no text', { type: 'storage', id: 1, request: { op: 'get', key: deep } }],
  ['a value that is no text', { type: 'storage', id: 1, request: { op: 'set', key: 'a', value: deep } }],
  ['an unknown wish', { type: 'storage', id: 1, request: { op: 'drop' } }],
  ['an end that is a list', { type: 'exit', code: deep }],
  ['an end beyond all numbers', { type: 'exit', code: Number.NaN }],
  ['numbers that are none', { type: 'metrics', values: null }],
  ['a number that is a text', { type: 'metrics', values: { queue: '5' } }],
  ['a number below nothing', { type: 'metrics', values: { queue: -1 } }],
  ['an endless number', { type: 'metrics', values: { queue: Number.POSITIVE_INFINITY } }],
  ['a number without a name', { type: 'metrics', values: { 'a b': 1 } }],
  ['a number that is measured', { type: 'metrics', values: { cpu: 1 } }],
  ['eleven numbers', { type: 'metrics', values: Object.fromEntries([...'abcdefghijk'].map((name) => [name, 1])) }],
  ['a failure without words', { type: 'failed', phase: 'run', permanent: false }],
  ['a failure of no phase', { type: 'failed', phase: 'end', message: 'x', permanent: false }],
  ['a failure with a book', { type: 'failed', phase: 'run', message: 'x'.repeat(2_000), permanent: false }],
];

describe('what a pod of a browser tells its agent', () => {
  it.each(MALFORMED.map(([what]) => what))('ends that pod alone when it is %s', async (what) => {
    const [, message] = MALFORMED.find(([name]) => name === what) as [string, unknown];
    const neighbour = aSandbox();
    const { pod, outcome } = aSandbox();
    pod.postMessage(message);
    expect(await outcome()).toEqual({
      exitCode: 137,
      reason: 'Killed',
      message: 'it told its agent what is no message',
    });
    neighbour.pod.postMessage({ type: 'exit', code: 0 });
    expect(await neighbour.outcome()).toMatchObject({ exitCode: 0 });
  });

  it.each([null, 1, 'pong', {}, { type: 'failed' }, { type: 'failed', message: [[['x']]] }, { type: 'show' }])(
    'ends that pod alone when its frame says %s',
    async (message) => {
      const { frame, outcome } = aSandbox();
      frame.postMessage(message as FromFrame);
      expect(await outcome()).toMatchObject({ reason: 'Killed', message: /its frame told its agent/ });
    },
  );

  it('is heard when it is a message', async () => {
    const { pod, frame, seen, lines, asked, outcome } = aSandbox();
    frame.postMessage({ type: 'shows' });
    frame.postMessage({ type: 'pong' });
    pod.postMessage({ type: 'started' });
    pod.postMessage({ type: 'ready' });
    pod.postMessage({ type: 'metrics', values: { queue: 5 } });
    const record = JSON.stringify({ level: 'warn', message: 'up' });
    const said = [
      { record },
      { stream: 'stderr', text: 'x'.repeat(100_000) },
      { record: '{"level":"loud","message":"x"}' },
    ];
    pod.postMessage({ type: 'lines', lines: said, dropped: 3 });
    pod.postMessage({ type: 'storage', id: 1, request: { op: 'set', key: 'a', value: '1' } });
    pod.postMessage({ type: 'exit', code: 7 });
    expect(await outcome()).toMatchObject({ exitCode: 7, reason: 'Error' });
    expect(seen).toEqual(
      expect.arrayContaining(['shown', 'started', 'ready', '{"queue":5}', 'dropped 3', 'closed', 'gone']),
    );
    expect(lines.map(({ level, message }) => [level, message.length])).toEqual([
      ['warn', 2],
      [undefined, 16_366],
      [undefined, 30],
    ]);
    expect(asked).toEqual([{ op: 'set', key: 'a', value: '1' }]);
  });
});

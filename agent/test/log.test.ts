import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createAgentLog, logLevel } from '../src/node/log.js';

describe('how much an agent logs', () => {
  it.each<[NodeJS.ProcessEnv, string]>([
    [{}, 'info'],
    [{ LOG_LEVEL: 'debug' }, 'debug'],
    [{ LOG_LEVEL: 'WARN' }, 'warn'],
    [{ LOG_LEVEL: 'verbose' }, 'info'],
    [{ LOG_LEVEL: 'debug', STARK_LOG_LEVEL: 'error' }, 'error'],
    [{ LOG_LEVEL: '', STARK_LOG_LEVEL: '' }, 'info'],
  ])('%j is %s', (env, level) => expect(logLevel(env)).toBe(level));

  it('is refused where only we can have been meant', () => {
    expect(() => logLevel({ STARK_LOG_LEVEL: 'loud' })).toThrow('STARK_LOG_LEVEL is "loud"');
  });
});

it('is a line each on a terminal, with nothing said twice', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true }) as unknown as typeof process.stderr;
  let text = '';
  terminal.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const log = createAgentLog('info', terminal).child({ node: 'laptop' });
  log.info({ pod_id: 'x', pod: 'default/a', status: 'running' }, 'pod a runs alpha@1.0.0');
  log.warn({ code: 'UNREACHABLE' }, 'cannot reach the cluster');
  await new Promise((done) => setTimeout(done, 200));
  const lines = stripVTControlCharacters(text).trim().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/INFO.*: pod a runs alpha@1\.0\.0$/),
    expect.stringMatching(/WARN.*cannot reach the cluster.*UNREACHABLE/),
  ]);
});

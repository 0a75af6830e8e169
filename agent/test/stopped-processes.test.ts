import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { standsStill } from '../src/node/process-use.js';
import { StoppedProcesses } from '../src/node/stopped-processes.js';
import { until } from './support/wait.js';

const COMPILED = fileURLToPath(new URL('../dist/node/stopped-processes.js', import.meta.url));

describe.skipIf(process.platform !== 'linux')('processes that stand still for a moment', () => {
  let sleeper: ChildProcess;
  let pid: number;
  beforeEach(async () => {
    sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(sleeper, 'spawn');
    pid = sleeper.pid as number;
  });
  afterEach(() => sleeper.kill('SIGKILL'));

  it('run again afterwards', async () => {
    const stopped = new StoppedProcesses();
    stopped.stop([pid, pid]);
    await until('it to stand still', () => stopped.every(standsStill));
    expect(stopped.size).toBe(1);
    stopped.continue();
    await until('it to run', () => !standsStill(pid));
  });

  it('run again when who stopped them is killed meanwhile', async () => {
    const program = `
      import { readFileSync, writeSync } from 'node:fs';
      import { StoppedProcesses } from ${JSON.stringify(COMPILED)};
      new StoppedProcesses().stop([${pid}]);
      while (!readFileSync('/proc/${pid}/stat', 'utf8').includes(') T ')) {}
      writeSync(1, 'stopped');
      process.kill(process.pid, 'SIGKILL');`;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    killed.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [, signal] = await once(killed, 'close');
    expect([said, signal]).toEqual(['stopped', 'SIGKILL']);
    await until('it to run', () => !standsStill(pid));
  });
});

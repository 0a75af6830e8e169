import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = new URL('../dist/node/index.js', import.meta.url).href;
const nameless = ['--reuid=4711', '--regid=4711', '--clear-groups', process.execPath, '--input-type=module', '-e'];
const canBecome = spawnSync('setpriv', [...nameless, `await import('${module}')`]).status === 0;

it.runIf(canBecome)('an account without a home is told to give a folder', async () => {
  const script = `
    const { startNodeAgent } = await import('${module}');
    const options = { name: 'n', supabaseUrl: 'http://127.0.0.1:1', key: 'k', credentials: { accessToken: 't' } };
    const { code, hint } = await startNodeAgent(options).catch((error) => error);
    console.log(JSON.stringify({ code, hint }));
  `;
  const { PATH } = process.env;
  const { stdout } = await promisify(execFile)('setpriv', [...nameless, script], { env: { PATH } });
  expect(JSON.parse(stdout)).toEqual({ code: 'USAGE', hint: 'set HOME, or give the agent a --data-dir' });
});

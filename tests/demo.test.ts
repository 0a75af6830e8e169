import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { descendants, waitForEnd } from './harness/processes.js';
import { root } from './harness/stack.js';

it('npm run demo runs real packs on real agents, ends with its line and leaves no process', async () => {
  const demo = spawn(process.execPath, [join(root, 'scripts', 'demo.mjs')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seen = new Map<number, string>();
  const look = setInterval(() => {
    for (const { pid, command } of descendants(demo.pid ?? 0)) seen.set(pid, command);
  }, 250);
  let output = '';
  let errors = '';
  demo.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  demo.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise((resolve) => demo.once('close', resolve));
  clearInterval(look);
  expect(code, errors).toBe(0);
  expect(output.trim().split('\n').at(-1)).toMatch(/^demo: ok, 4 pods on 2 nodes, first pod running after \d+ ms$/);
  expect(output).toMatch(/alpha-\w{10}-\w{5} on node-\d: GET .* → 200/);
  expect(output).toMatch(/\n2 +failed +1\.0\.1 .*follow.*\n3 +stable +1\.0\.0 .*rollback/);
  expect(output).toMatch(/\nalpha +3 +4 +4 /);
  expect(output).toMatch(/beta-\w{5} on node-\d: GET .* → 200/);
  expect(seen.size).toBeGreaterThan(0);
  await waitForEnd([...seen].map(([pid, command]) => ({ pid, command })));
}, 300_000);

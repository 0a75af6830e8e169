import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Machine, packageRoot } from './support/run.js';

const machine = new Machine();

describe('help', () => {
  it('is one page for nothing, -h, --help and help', async () => {
    const pages = await Promise.all([[], ['-h'], ['--help'], ['help']].map((args) => machine.run(args)));
    for (const page of pages) expect(page).toEqual({ code: 0, stdout: pages[0]?.stdout, stderr: '' });
    for (const topic of ['auth', 'context', 'node', 'pack', 'pod', 'up', 'down', 'status']) {
      expect(pages[0]?.stdout).toMatch(new RegExp(`^  ${topic} `, 'm'));
    }
  });

  it('of a command has a summary, examples, every flag but the hidden, and the exit codes', async () => {
    const { code, stdout } = await machine.run(['help', 'auth', 'login']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Sign in\.\n/);
    expect(stdout).toContain('$ stark auth login [FLAGS]');
    expect(stdout).toMatch(/EXAMPLES\n {2}\$ stark auth login --email/);
    expect(stdout).toContain('--password-stdin');
    expect(stdout).not.toMatch(/--password[ =]/);
    expect(stdout).toContain('EXIT CODES');
    expect((await machine.run(['auth', 'login', '-h'])).stdout).toBe(stdout);
    expect((await machine.run(['login', 'auth', '--help'])).stdout).toBe(stdout);
  });

  it('of a topic lists its commands', async () => {
    const { code, stdout } = await machine.run(['pod', '--help']);
    expect(code).toBe(0);
    for (const verb of ['create', 'delete', 'list', 'logs', 'status']) expect(stdout).toContain(`pod ${verb}`);
  });

  it('a topic alone is no command', async () => {
    expect(await machine.run(['pod'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('needs a verb'),
    });
  });

  it('of nothing known is an error', async () => {
    expect(await machine.run(['pdo', '--help'])).toMatchObject({ code: 127, stdout: '' });
    expect(await machine.run(['help', 'pod', 'lst'])).toMatchObject({ code: 127 });
  });

  it('has no colours in a pipe', async () => {
    expect((await machine.run(['pod', 'list', '--help'])).stdout).not.toContain('\u001b[');
  });

  it('can be completed by the shell', async () => {
    expect((await machine.run(['autocomplete', 'script', 'bash'])).code).toBe(0);
  });
});

// Budget of the design: 250 ms. What is measured is the program, not the neighbours on this machine, so the fastest of
// several runs counts, and Node.js itself may be slower here than where the budget was set (65 ms).
it('shows help within 250 ms', () => {
  const fastest = (args: string[]) => {
    const times = Array.from({ length: 9 }, () => {
      const began = performance.now();
      spawnSync(process.execPath, args, { stdio: 'ignore', env: { ...process.env, HOME: machine.home } });
      return performance.now() - began;
    });
    return Math.min(...times);
  };
  const node = fastest(['-e', '0']);
  const help = fastest([join(packageRoot, 'bin', 'stark.js'), 'pod', 'list', '--help']);
  expect(help - Math.max(0, node - 65)).toBeLessThan(250);
});

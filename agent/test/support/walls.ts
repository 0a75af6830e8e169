import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OrdinaryUser } from './ordinary-user.js';

/** A folder whose `setpriv` is a newer one than the system's, for machines whose own knows no Landlock. */
const NEWER_PROGRAMS = process.env.STARK_TEST_PROGRAMS;
const PATH = [...(NEWER_PROGRAMS === undefined ? [] : [NEWER_PROGRAMS]), process.env.PATH].join(':');

/** The kernel's walls that hold on this machine, with the environment in which their agent finds its programs. */
export async function wallsHere(): Promise<{ tier: string; env: NodeJS.ProcessEnv }[]> {
  const walls = [
    { tier: 'strict', env: {} },
    { tier: 'standard', env: { PATH } },
  ];
  const user = await OrdinaryUser.open();
  try {
    const here: typeof walls = [];
    for (const wall of walls) {
      const problem = await user.run({ isolation: wall.tier, env: wall.env }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (problem === undefined) here.push(wall);
      else skipLoudly(`no tests behind the wall "${wall.tier}"`, reasonOf(problem));
    }
    return here;
  } finally {
    await user.close();
  }
}

/** Machine code for tests; undefined where nothing here can make it. */
export function compileAddon(): { path: string; remove(): void } | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) {
    skipLoudly('no tests by machine code', 'there is no C compiler (cc)');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'stark-addon-'));
  const path = join(folder, 'raw.node');
  const source = fileURLToPath(new URL('./raw.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', path, source]);
  execFileSync('chmod', ['755', folder]);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

function skipLoudly(what: string, why: string): void {
  console.warn(`SKIPPED: ${what}: ${why}`);
}

function reasonOf(message: string): string {
  return /this machine has no isolation[^\n]*/.exec(message)?.[0] ?? message.slice(-500);
}

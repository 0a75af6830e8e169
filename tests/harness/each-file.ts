// What every test file ends with. Vitest runs this before each file, also where files share a process.
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { stopCommandServers } from '../../cli/test/support/command-server.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = relative(root, expect.getState().testPath ?? '');

// Processes that a test leaves to themselves are found by it: see scripts/processor-time.mjs.
process.env.STARK_TEST_FILE = file;

afterAll(async () => {
  await stopCommandServers();
  chargeTo(file);
});

const charged = Symbol.for('stark.charged');
const worker = process as typeof process & { [charged]?: number };

/** Notes what this process and its ended children have used since the file before. */
function chargeTo(name: string): void {
  const costs = process.env.STARK_TEST_COSTS;
  if (costs === undefined) return;
  const used = processorSeconds();
  appendFileSync(costs, `${JSON.stringify({ file: name, seconds: used - (worker[charged] ?? 0) })}\n`);
  worker[charged] = used;
}

/** Processor time of this process and of those of its children that it has waited for, by Linux' count of 100 a second. */
function processorSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

// npm run bench -- <name> [--json]: measures one thing and says what was measured, where and against what.
import { readdirSync } from 'node:fs';
import { machine } from './lib/machine.mjs';
import { table } from './lib/report.mjs';

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => file.slice(0, -4));
const args = process.argv.slice(2);
const json = args.includes('--json');
const name = args.find((arg) => !arg.startsWith('-'));

if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- <name> [--json]\nNames: ${names.join(', ')}`);
  process.exit(2);
}

const bench = await import(`./${name}.mjs`);
// Results go to stdout alone, so that --json can be piped; progress goes to stderr.
const say = (line) => console.error(line);
const started = performance.now();
const { results, notes = [], details } = await bench.measure({ say });
const report = {
  bench: name,
  title: bench.title,
  at: new Date().toISOString(),
  seconds: Math.round((performance.now() - started) / 100) / 10,
  machine: machine(),
  notes,
  results,
  ...(details === undefined ? {} : { details }),
};
console.log(json ? JSON.stringify(report) : table(report));
process.exit(0);

// Runs the pgTAP files alone, or those whose name contains one of the arguments; ends with one summary line. With --postgres=15
// (npm run test:pg15) it does so on Postgres 15, and has plpgsql_check look through the functions where that is installed.
import { parseArgs } from 'node:util';
import { checkFunctions } from './check-functions.mjs';
import { hasPostgres15, howToInstall } from './postgres-15.mjs';
import { prepareTap, runTapFile, tapFiles } from './tap.mjs';
import { withTestDatabase } from './test-database.mjs';

const { values, positionals: wanted } = parseArgs({
  options: { postgres: { type: 'string', default: '17' } },
  allowPositionals: true,
});
const version = Number(values.postgres);
if (version === 15 && !hasPostgres15) {
  console.error(`Postgres 15 is not installed: ${howToInstall}`);
  process.exit(1);
}
const files = (await tapFiles()).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
let [passed, failed] = [0, 0];

function report(name, tests, failures, unit) {
  console.log(`${failures.length === 0 ? 'ok' : 'not ok'} ${name}: ${tests} ${unit}`);
  for (const failure of failures) console.log(failure.replaceAll(/^/gm, '    '));
  passed += Math.max(0, tests - failures.length);
  failed += failures.length;
}

await withTestDatabase(
  async ({ url }) => {
    const findings = await checkFunctions(url);
    if (findings) report('plpgsql_check', 1, findings, 'look through all functions');
    else if (version === 15) console.log('plpgsql_check is not installed: apt-get install postgresql-15-plpgsql-check');
    await prepareTap(url());
    for (const name of files) {
      const { tests, failures } = await runTapFile(url(), name);
      report(name, tests, failures, 'assertions');
    }
  },
  { version },
);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;

// Runs the pgTAP files alone, or those whose name contains one of the arguments; ends with one summary line.
import { prepareTap, runTapFile, tapFiles } from './tap.mjs';
import { withTestDatabase } from './test-database.mjs';

const wanted = process.argv.slice(2);
const files = (await tapFiles()).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
let [passed, failed] = [0, 0];
await withTestDatabase(async ({ url }) => {
  await prepareTap(url());
  for (const name of files) {
    const { tests, failures } = await runTapFile(url(), name);
    console.log(`${failures.length === 0 ? 'ok' : 'not ok'} ${name}: ${tests} assertions`);
    for (const failure of failures) console.log(failure.replaceAll(/^/gm, '    '));
    passed += Math.max(0, tests - failures.length);
    failed += failures.length;
  }
});
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;

// Asks Supabase's advisors about the migrated schema; prints what they find and fails when that is anything.
import { isProgram } from './command-line.mjs';
import { supabase } from './supabase-cli.mjs';
import { withTestDatabase } from './test-database.mjs';

/**
 * Everything the advisors find, down to mere remarks, as {name, level, detail}. In a new database every index is unused, so
 * that one remark says nothing and is left out.
 */
export async function adviseOn(url) {
  const args = [
    'db',
    'advisors',
    `--remote=${url}`,
    '--type=all',
    '--level=info',
    '--fail-on=none',
    '--output-format=json',
  ];
  const out = await supabase(args);
  const { results } = JSON.parse(out.slice(out.indexOf('{')));
  if (!Array.isArray(results)) throw new Error(`supabase db advisors printed an unknown form: ${out.slice(0, 300)}`);
  return results.filter(({ name }) => name !== 'unused_index');
}

if (isProgram(import.meta.url)) {
  const findings = await withTestDatabase(({ url }) => adviseOn(url()));
  for (const { level, name, detail } of findings) console.error(`${level} ${name}: ${detail}`);
  console.log(`${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}

// npm run types: writes the database types that core and everybody above it use, by the official CLI, from the migrations.
// With --check it writes nothing and fails when they have drifted.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isProgram, writeOrCheck } from './command-line.mjs';
import { supabase } from './supabase-cli.mjs';
import { root, withTestDatabase } from './test-database.mjs';

export const typesPath = join(root, 'core/src/model/database.types.ts');

/** The types of schema `stark` in the database behind `url`, formatted as all code is. */
export async function generateTypes(url) {
  const out = await supabase(['gen', 'types', '--lang=typescript', '--schema', 'stark', `--remote=${url}`]);
  const start = out.indexOf('export type Json');
  if (start < 0) throw new Error(`supabase gen types printed no types: ${out.slice(0, 300)}`);
  return format(`// Generated from the migrations by npm run types. Do not edit.\n${out.slice(start)}`);
}

function format(code) {
  const biome = join(dirname(createRequire(import.meta.url).resolve('@biomejs/biome/package.json')), 'bin', 'biome');
  // Under another name, since the configuration leaves the real one alone.
  const { status, stdout, stderr } = spawnSync(process.execPath, [biome, 'format', '--stdin-file-path=generated.ts'], {
    cwd: root,
    input: code,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`biome could not format the generated types: ${stderr}`);
  return stdout;
}

if (isProgram(import.meta.url)) {
  await withTestDatabase(async ({ url }) => writeOrCheck(typesPath, await generateTypes(url()), 'npm run types'));
}

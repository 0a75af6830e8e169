// Runs the official CLI quietly and hands back what it printed.
import { spawn } from 'node:child_process';
import { supabaseCli } from '../../local/dist/migrations.js';
import { root } from './test-database.mjs';

/** Standard output of `supabase <args>`; throws with what it said when it fails. */
export async function supabase(args) {
  const child = spawn(process.execPath, [supabaseCli(), ...args, '--workdir', root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', NO_COLOR: '1' },
  });
  let out = '';
  let messages = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    messages += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new Error(`supabase ${args[0]} ${args[1]} ended with ${code}: ${messages.trim() || out.trim()}`);
  return out;
}

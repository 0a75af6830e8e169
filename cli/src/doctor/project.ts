import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundledProject } from '../stack/place.js';

/** A migration that comes with this program, and the digest that the database makes of one that was pushed. */
export interface OwnMigration {
  version: string;
  file: string;
  digest: string;
}

/** The migrations that come with this program, oldest first. */
export async function ownMigrations(): Promise<OwnMigration[]> {
  const folder = join(bundledProject, 'supabase', 'migrations');
  const files = (await readdir(folder)).filter((file) => /^\d+_.*\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8');
      return { version: file.slice(0, file.indexOf('_')), file, digest: digestOf(text) };
    }),
  );
}

/** Version of the Edge Functions that come with this program, as they answer it themselves once they are deployed. */
export async function ownFunctionsVersion(): Promise<string> {
  const path = join(bundledProject, 'supabase', 'functions', '_shared', 'version.ts');
  return /VERSION = '(\w+)'/.exec(await readFile(path, 'utf8'))?.[1] ?? 'unknown';
}

// stark_internal.pushed_migrations does the same to what the history of the official CLI keeps of a file.
function digestOf(text: string): string {
  return createHash('sha256')
    .update(text.replace(/[ \t\r\n;]+/g, ''))
    .digest('hex');
}

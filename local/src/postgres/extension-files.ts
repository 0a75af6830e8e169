import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { ClusterError } from './errors.js';

/** The SQL and control files of this package. */
export const sqlDirectory = fileURLToPath(new URL('../../postgres/', import.meta.url));

/**
 * Contributed extensions that a hosted project lets `postgres` create although Postgres itself wants a superuser.
 * Left out, as there: those that read the server's files or its memory.
 */
const TRUSTED_BY_PLATFORM = [
  'autoinc',
  'bloom',
  'dblink',
  'dict_xsyn',
  'earthdistance',
  'insert_username',
  'moddatetime',
  'pg_prewarm',
  'pg_stat_statements',
  'pg_walinspect',
  'pgrowlocks',
  'pgstattuple',
  'postgres_fdw',
  'refint',
  'sslinfo',
];

/**
 * Puts the control and script files of our stand-ins and of pgTAP where the server looks for them, and marks what
 * hosted Supabase allows as trusted.
 *
 * The folder belongs to the installed package and so to every stack on this machine: a file is written only when its
 * content differs, beside its place and then renamed, so that no server ever reads half a file.
 */
export async function installExtensionFiles(directory: string): Promise<void> {
  const files = new Map<string, Buffer>();
  const own = path.join(sqlDirectory, 'extensions');
  for (const name of await readdir(own)) files.set(name, await readFile(path.join(own, name)));
  for (const [name, content] of await pgtapFiles()) files.set(name, content);
  for (const name of TRUSTED_BY_PLATFORM) {
    const file = `${name}.control`;
    const content = await readFile(path.join(directory, file), 'utf8').catch(() => null);
    if (content !== null) files.set(file, Buffer.from(trusted(content)));
  }
  for (const [name, content] of files) await install(path.join(directory, name), content);
}

/** A control file that says `trusted = true`. */
function trusted(control: string): string {
  const rest = control.replace(/^\s*trusted\s*=.*\n?/gm, '');
  return `${rest.trimEnd()}\ntrusted = true\n`;
}

async function pgtapFiles(): Promise<[string, Buffer][]> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const archive = gunzipSync(await readFile(path.join(path.dirname(entry), 'pgtap.tar.gz')));
  const files = readTar(archive).filter(({ name }) => /^pgtap(--[\d.]+)?\.(control|sql)$/.test(path.basename(name)));
  return files
    .map(({ name, content }): [string, Buffer] => [path.basename(name), content])
    .filter(([name]) => name !== 'pgtap.sql')
    .map(([name, content]) =>
      name === 'pgtap.control' ? [name, Buffer.from(trusted(content.toString('utf8')))] : [name, content],
    );
}

/** Plain files of a ustar archive; names longer than its 100 bytes do not occur in what we read. */
function readTar(archive: Buffer): { name: string; content: Buffer }[] {
  const files: { name: string; content: Buffer }[] = [];
  const text = (start: number, length: number) => archive.toString('utf8', start, start + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= archive.length; ) {
    const name = text(at, 100);
    if (name === '') break;
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = text(at + 156, 1);
    if (kind === '' || kind === '0') files.push({ name, content: archive.subarray(at + 512, at + 512 + size) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

async function install(target: string, content: Buffer): Promise<void> {
  const present = await readFile(target).catch(() => null);
  if (present?.equals(content)) return;
  const draft = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content, { mode: 0o644 });
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    if (!['EACCES', 'EPERM', 'EROFS'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    throw new ClusterError(
      'EXTENSIONS_NOT_WRITABLE',
      `the extension ${path.basename(target)} cannot be written to ${path.dirname(target)}: install the package as the user that runs it`,
      { cause },
    );
  }
}

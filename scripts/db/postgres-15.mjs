// Postgres 15, on which many hosted projects still run: the package of Debian and Ubuntu, where it is installed.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

const PROGRAMS = '/usr/lib/postgresql/15/bin';
const EXTENSIONS = '/usr/share/postgresql/15/extension';

/** True where the server is installed. */
export const hasPostgres15 = existsSync(join(PROGRAMS, 'postgres'));

/** What to do where it is not. */
export const howToInstall =
  'apt-get install postgresql-15 (Debian 12 and Ubuntu have it, others by the PGDG repository)';

/**
 * Its programs. Our stand-ins for extensions come to stand in `folder`, which the server looks through first, so that nothing
 * of the package is changed.
 */
export async function postgres15(folder) {
  const extensionDirectory = join(folder, EXTENSIONS);
  await mkdir(extensionDirectory, { recursive: true });
  return {
    initdb: join(PROGRAMS, 'initdb'),
    postgres: join(PROGRAMS, 'postgres'),
    pgCtl: join(PROGRAMS, 'pg_ctl'),
    extensionDirectory,
    settings: { extension_destdir: folder },
  };
}

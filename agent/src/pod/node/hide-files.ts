import Module, { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Stat = (path: string) => number;
type Resolve = (specifier: string, context: unknown) => { url: string };

/** What of `node:module` its types leave out, or only newer versions have. */
interface Loader {
  _stat: Stat;
  _readPackage(folder: string): unknown;
  registerHooks?(hooks: { resolve(specifier: string, context: { parentURL?: string }, next: Resolve): unknown }): void;
  findPackageJSON?(...args: unknown[]): string | undefined;
}

const NOTHING = -2;
/** How the loader of modules tells what is there from what is not, where both may not be read. */
const TELLING = new Set(['ERR_ACCESS_DENIED', 'ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT']);

/**
 * Lets the loader of modules find only what may be read. Node's permission model asks no leave for its looks at files, so
 * `require.resolve` and `import()` would tell a pod which files there are. On Node.js 20 `import()` still does: it has no hook that
 * runs in the same thread.
 */
export function hideFiles(): void {
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } };
  if (permission === undefined) return;
  const has = permission.has.bind(permission);
  const mayRead = (path: string) => has('fs.read', path);
  const onTheWay = foldersAbove(readable());
  const loader = Module as unknown as Loader;
  const stat = loader._stat;
  withoutWarnings(() => {
    loader._stat = (path) => (mayRead(path) || onTheWay.has(path) ? stat(path) : NOTHING);
    loader.registerHooks?.({
      resolve(specifier, context, next) {
        const found = resolved(() => next(specifier, context));
        const path = found?.url.startsWith('file:') ? fileURLToPath(found.url) : undefined;
        if (found !== undefined && (path === undefined || mayRead(path))) return found;
        throw notFound(specifier, context.parentURL);
      },
    });
  });
  // Newer versions look for themselves.
  if (loader.registerHooks === undefined) {
    const read = loader._readPackage;
    loader._readPackage = (folder) => {
      const pjsonPath = join(folder, 'package.json');
      return mayRead(pjsonPath) ? read(folder) : { exists: false, pjsonPath, type: 'none' };
    };
  }
  const { findPackageJSON } = loader;
  if (findPackageJSON !== undefined) {
    loader.findPackageJSON = (...args) => {
      const path = resolved(() => findPackageJSON(...args));
      return path !== undefined && mayRead(path) ? path : undefined;
    };
  }
  syncBuiltinESMExports();
}

/** What this process was started with leave to read. */
function readable(): string[] {
  const flag = '--allow-fs-read=';
  return process.execArgv.filter((word) => word.startsWith(flag)).map((word) => word.slice(flag.length));
}

/** The loader looks at each folder on its way to a library; that these are there is no news. */
function foldersAbove(paths: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

/** Nothing where the loader would tell what there is; other errors are the pack's. */
function resolved<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (TELLING.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function notFound(specifier: string, parent = 'nowhere'): Error {
  const message = `Cannot find module '${specifier}' imported from ${parent}`;
  return Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' });
}

// That these hooks may change one day is nothing for a pod's log.
function withoutWarnings(work: () => void): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  work();
  process.emitWarning = emitWarning;
}

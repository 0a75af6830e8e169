import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StarkError, usageError } from '@stark-o/core/errors';
import type { BuildFailure, Plugin } from 'esbuild';

/**
 * Runs a stark.config.ts and gives what it exports. It is bundled into one module first, so it may be TypeScript and may import files
 * and packages beside it; `@stark-o/core/config` is there also where nobody has installed it.
 */
export async function readConfigModule(path: string): Promise<unknown> {
  const code = await bundled(path);
  let exported: unknown;
  try {
    const module = (await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)) as {
      default?: unknown;
    };
    exported = await (typeof module.default === 'function' ? module.default() : module.default);
  } catch (cause) {
    throw failed(path, cause);
  }
  if (exported === undefined) {
    throw usageError(`${path} has no default export`, 'export default defineConfig({ … })');
  }
  try {
    return JSON.parse(JSON.stringify(exported));
  } catch (cause) {
    throw failed(path, cause);
  }
}

async function bundled(path: string): Promise<string> {
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      absWorkingDir: dirname(path),
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      define: {
        'import.meta.url': JSON.stringify(pathToFileURL(path).href),
        'import.meta.dirname': JSON.stringify(dirname(path)),
        'import.meta.filename': JSON.stringify(path),
      },
      // Packages that are CommonJS ask for Node.js' modules by `require`.
      banner: {
        js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(${JSON.stringify(path)});`,
      },
      plugins: [ownCore],
    });
    return outputFiles[0]?.text ?? '';
  } catch (cause) {
    const [first] = (cause as BuildFailure).errors ?? [];
    if (first === undefined) throw failed(path, cause);
    const { location } = first;
    const place = location === null ? path : `${path}:${location.line}:${location.column + 1}`;
    throw new StarkError(`${place}: ${first.text}`, { code: 'USAGE', cause });
  }
}

const ownCore: Plugin = {
  name: 'own-core',
  setup({ onResolve }) {
    onResolve({ filter: /^@stark-o\/core\/config$/ }, () => ({
      path: fileURLToPath(import.meta.resolve('@stark-o/core/config')),
    }));
  },
};

function failed(path: string, cause: unknown): StarkError {
  return new StarkError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { code: 'USAGE', cause });
}

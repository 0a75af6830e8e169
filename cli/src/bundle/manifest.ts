import { StarkError } from '@stark-o/core/errors';
import type { PackRuntime } from '@stark-o/core/model';
import type { PackAbout } from './project.js';

const MARK = '//# starkManifest=';
/** The line is the last one but for empty ones, and a description has at most 2,000 characters. */
const LONGEST = 65_536;

/**
 * What a bundle says of itself, as a comment in its last line, like the address of a source map: it goes wherever the file goes, and no
 * package.json that happens to stand beside it there is taken for its own.
 */
export function manifestLine(about: PackAbout): string {
  const { name, version, description, runtime, visibility, ports } = about;
  const said = JSON.stringify({ name, version, description, runtime, visibility, ports, entry: 'default' });
  // These two end a line of JavaScript, and JSON leaves them as they are.
  return `${MARK}${said.replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`)}`;
}

/** What a bundle says of itself; nothing where somebody else's tool made it. */
export async function manifestIn(path: string, bytes: Uint8Array): Promise<PackAbout & { entry?: string }> {
  const end = Buffer.from(bytes.subarray(Math.max(0, bytes.byteLength - LONGEST))).toString();
  const line = end.trimEnd().split('\n').at(-1) ?? '';
  if (!line.startsWith(MARK)) return {};
  const { toBundleManifest } = await import('@stark-o/core');
  try {
    return toBundleManifest(JSON.parse(line.slice(MARK.length)), `the manifest in ${path}`);
  } catch (cause) {
    const problem = cause instanceof StarkError ? cause.message : `the manifest in ${path} is not JSON`;
    throw new StarkError(problem, { code: 'BUNDLE_INVALID', hint: 'stark pack bundle <folder> --out pack.js', cause });
  }
}

/** Where a pack runs, or the reason that somebody has to say so: a wrong guess fails on a machine far away. */
export function requireRuntime(runtime: PackRuntime | undefined, what: string): PackRuntime {
  if (runtime !== undefined) return runtime;
  throw new StarkError(`${what} does not say where it runs`, {
    code: 'USAGE',
    hint: 'add --runtime node, browser or isomorphic, or "stark": { "runtime": … } to its package.json',
  });
}

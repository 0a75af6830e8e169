import { realpathSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { upwards } from '../config/directories.js';

const program = fileURLToPath(new URL('../../bin/stark.js', import.meta.url));

/**
 * How this program is called where the person is: by its name where the shell finds it, by npx below a folder that has it installed, else
 * by its path. A hint is a command to type, and has to work.
 */
export function programName(env: NodeJS.ProcessEnv = process.env, cwd: string = process.cwd()): string {
  // There the shell finds a script that npm has written, and not a link to this one.
  if (process.platform === 'win32') return env.npm_command === 'exec' ? 'npx stark' : 'stark';
  const own = realOf(program);
  // A script of npm has these folders in its path, and the shell that it was started from has not.
  const folders = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !/\bnode_modules\b/.test(folder));
  if (folders.some((folder) => realOf(join(folder, 'stark')) === own)) return 'stark';
  for (const folder of upwards(cwd)) {
    if (realOf(join(folder, 'node_modules', '.bin', 'stark')) === own) return 'npx stark';
  }
  const path = relative(cwd, program);
  return `node ${path.startsWith('..') ? program : path}`;
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** First words of commands, and of their other names. */
export const firstWords: ReadonlySet<string> = new Set([
  ...[
    'annotate',
    'api-resources',
    'apply',
    'auth',
    'autocomplete',
    'autoscaler',
    'clusterconfig',
    'completion',
    'config',
    'context',
  ],
  ...[
    'debug',
    'delete',
    'deployment',
    'describe',
    'dev',
    'diff',
    'doctor',
    'down',
    'events',
    'explain',
    'get',
    'init',
    'jointoken',
    'label',
  ],
  ...[
    'logs',
    'namespace',
    'node',
    'pack',
    'plan',
    'pod',
    'priorityclass',
    'role',
    'rolebinding',
    'rollout',
    'server-config',
  ],
  ...['status', 'top', 'up', 'user', 'version', 'wait', 'watch', '--help'],
]);

/** A text whose commands can be typed as they stand. For people only: what machines read says `stark`, by whatever name it was called. */
export function withProgramName(text: string): string {
  if (!text.includes('stark ')) return text;
  let name: string | undefined;
  return text.replace(/(?<!npx )(?<![\w./@-])stark (?=([a-z-]+))/g, (found, word: string) => {
    if (!firstWords.has(word)) return found;
    name ??= programName();
    return `${name} `;
  });
}

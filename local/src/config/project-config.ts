import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import damerauLevenshtein from 'damerau-levenshtein';
import { parse, TomlError } from 'smol-toml';
import { StackError } from '../errors.js';
import { type KnownKeys, knownKeys } from './known-keys.js';

/** What the stack reads of supabase/config.toml, with Supabase's own defaults. */
export interface ProjectConfig {
  projectId: string;
  api: { port: number; schemas: string[]; extraSearchPath: string[]; maxRows: number };
  db: { port: number };
  auth: {
    siteUrl: string;
    jwtExpirySeconds: number;
    enableSignup: boolean;
    minimumPasswordLength: number;
    enableRefreshTokenRotation: boolean;
    refreshTokenReuseIntervalSeconds: number;
  };
  storage: { fileSizeLimitBytes: number };
  functions: Record<string, { enabled: boolean; verifyJwt: boolean; entrypoint?: string }>;
}

const step = 'config';
type Table = Record<string, unknown>;

/** Reads and checks `<workdir>/supabase/config.toml`; every problem is one StackError that names the key. */
export async function readProjectConfig(workdir: string): Promise<ProjectConfig> {
  const path = join(workdir, 'supabase', 'config.toml');
  let text: string;
  try {
    // The decoder drops the byte order mark that some editors write.
    text = new TextDecoder().decode(await readFile(path));
  } catch (cause) {
    throw new StackError(step, 'CONFIG_NOT_FOUND', `cannot read ${path}`, {
      hint: 'run stark up in a folder that has supabase/config.toml, or name one with --workdir',
      cause,
    });
  }
  return parseProjectConfig(text, path);
}

/** Parses the text of a config.toml. `path` is only for messages. */
export function parseProjectConfig(text: string, path = 'supabase/config.toml'): ProjectConfig {
  let document: Table;
  try {
    document = parse(text);
  } catch (cause) {
    const where = cause instanceof TomlError ? `:${cause.line}:${cause.column}` : '';
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new StackError(step, 'CONFIG_SYNTAX', `${path}${where}: ${why}`, { hint: 'correct the TOML there', cause });
  }
  refuseUnknownKeys(document, knownKeys, '', path);
  const read = reader(document, path);
  const major = read('db.major_version', 17, isInteger, 'a whole number');
  if (major !== 17) {
    throw new StackError(step, 'CONFIG_VALUE', `${path}: db.major_version is ${major}, the embedded Postgres is 17`, {
      hint: 'set db.major_version = 17',
    });
  }
  const functions = read('functions', {}, isTable, 'a table');
  return {
    projectId: read('project_id', 'stark', isString, 'a string'),
    api: {
      port: read('api.port', 54321, isPort, 'a port number'),
      schemas: read('api.schemas', ['public', 'graphql_public'], isStrings, 'a list of strings'),
      extraSearchPath: read('api.extra_search_path', ['public', 'extensions'], isStrings, 'a list of strings'),
      maxRows: read('api.max_rows', 1000, isInteger, 'a whole number'),
    },
    db: { port: read('db.port', 54322, isPort, 'a port number') },
    auth: {
      siteUrl: read('auth.site_url', 'http://127.0.0.1:3000', isString, 'a string'),
      jwtExpirySeconds: read('auth.jwt_expiry', 3600, isInteger, 'a whole number of seconds'),
      enableSignup: read('auth.enable_signup', true, isBoolean, 'true or false'),
      minimumPasswordLength: read('auth.minimum_password_length', 6, isInteger, 'a whole number'),
      enableRefreshTokenRotation: read('auth.enable_refresh_token_rotation', true, isBoolean, 'true or false'),
      refreshTokenReuseIntervalSeconds: read('auth.refresh_token_reuse_interval', 10, isInteger, 'a whole number'),
    },
    storage: { fileSizeLimitBytes: parseSize(read('storage.file_size_limit', '50MiB', isString, 'a size'), path) },
    functions: Object.fromEntries(
      Object.keys(functions).map((name) => {
        const entrypoint = read(`functions.${name}.entrypoint`, '', isString, 'a path');
        return [
          name,
          {
            enabled: read(`functions.${name}.enabled`, true, isBoolean, 'true or false'),
            verifyJwt: read(`functions.${name}.verify_jwt`, true, isBoolean, 'true or false'),
            ...(entrypoint === '' ? {} : { entrypoint }),
          },
        ];
      }),
    ),
  };
}

function refuseUnknownKeys(table: Table, known: KnownKeys, prefix: string, path: string): void {
  for (const [key, value] of Object.entries(table)) {
    const rule = known[key] ?? known['*'];
    if (rule === undefined) {
      const near = nearest(key, Object.keys(known));
      throw new StackError(step, 'CONFIG_UNKNOWN_KEY', `${path}: unknown key ${prefix}${key}`, {
        hint: near ? `did you mean ${prefix}${near}?` : `remove ${prefix}${key}`,
      });
    }
    if (typeof rule === 'object' && isTable(value)) refuseUnknownKeys(value, rule, `${prefix}${key}.`, path);
  }
}

function reader(document: Table, path: string) {
  return <T>(name: string, fallback: T, is: (value: unknown) => value is T, wanted: string): T => {
    let value: unknown = document;
    for (const part of name.split('.')) value = isTable(value) ? value[part] : undefined;
    if (value === undefined) return fallback;
    if (is(value)) return value;
    throw new StackError(step, 'CONFIG_VALUE', `${path}: ${name} must be ${wanted}, not ${JSON.stringify(value)}`, {
      hint: `correct ${name}`,
    });
  };
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isPort = (value: unknown): value is number => isInteger(value) && value < 65536;
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

const units: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  kib: 1024,
  mb: 1e6,
  mib: 1024 ** 2,
  gb: 1e9,
  gib: 1024 ** 3,
};

function parseSize(text: string, path: string): number {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match ? units[(match[2] ?? '').toLowerCase()] : undefined;
  if (!match || unit === undefined) {
    throw new StackError(step, 'CONFIG_VALUE', `${path}: storage.file_size_limit must be a size, not "${text}"`, {
      hint: 'write it as "50MiB"',
    });
  }
  return Number(match[1]) * unit;
}

/** The known key within two edits of what was written, if there is one. */
function nearest(word: string, candidates: string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, far: damerauLevenshtein(word, candidate).steps }));
  return ranked.sort((a, b) => a.far - b.far).find(({ far }) => far <= 2)?.candidate;
}

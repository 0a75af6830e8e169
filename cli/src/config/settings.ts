import { homedir } from 'node:os';
import { join } from 'node:path';
import { usageError } from '@stark-o/core/errors';
import { parseDuration } from '@stark-o/core/model';
import { formatNames, formatOf, type OutputFormat } from '../base/format.js';
import { nearest } from '../base/suggest.js';
import { type Context, Contexts } from './contexts.js';
import { configDirectory, legacyDirectory, upwards } from './directories.js';
import { readJsonFile } from './files.js';

export const settingNames = ['context', 'url', 'key', 'namespace', 'output', 'token', 'request-timeout'] as const;

export type SettingName = (typeof settingNames)[number];

/** A value and who said so. */
export interface Setting {
  value: string | undefined;
  origin: string;
}

export interface SettingSources {
  flags?: Partial<Record<SettingName, string | undefined>>;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  home?: string;
}

/**
 * What is in force for one command: flag, else STARK_* variable, else stark.json, else the context's file, else SUPABASE_URL with its key
 * where there is no context, else the folder of old, else default.
 */
export class Settings {
  readonly all: Readonly<Record<SettingName, Setting>>;
  readonly configDirectory: string;
  /** The project's stark.json, where that is what names the place: by its URL, or by a context that is not the current one. */
  readonly projectOfUrl: string | undefined;

  readonly #legacyCredentials: string | undefined;

  constructor(
    all: Record<SettingName, Setting>,
    directory: string,
    {
      projectOfUrl,
      legacyCredentials,
    }: { projectOfUrl?: string | undefined; legacyCredentials?: string | undefined } = {},
  ) {
    this.all = all;
    this.configDirectory = directory;
    this.projectOfUrl = projectOfUrl;
    this.#legacyCredentials = legacyCredentials;
  }

  /**
   * Before a secret of the environment is used: it was put there for a place that its owner chose, and a repository that
   * somebody cloned must not choose another one.
   */
  allowSecretOf(variable: string): void {
    if (this.projectOfUrl === undefined) return;
    throw usageError(
      `${variable} is not sent to ${this.url}, which only ${this.projectOfUrl} names`,
      `if that is where it belongs, say so: ${this.#saidByCaller()}`,
    );
  }

  #saidByCaller(): string {
    const { value, origin } = this.all.context;
    return origin === this.projectOfUrl && this.all.url.origin !== origin
      ? `STARK_CONTEXT=${value}, or stark context use ${value}`
      : `STARK_URL=${this.url}, or --url where the command has it`;
  }

  get context(): string {
    return this.all.context.value ?? 'default';
  }

  get url(): string {
    return this.all.url.value ?? defaults.url;
  }

  get key(): string | undefined {
    if (this.all.key.origin === 'variable STARK_KEY') this.allowSecretOf('STARK_KEY');
    return this.all.key.value;
  }

  get namespace(): string {
    return this.all.namespace.value ?? defaults.namespace;
  }

  get token(): string | undefined {
    if (this.all.token.origin === 'variable STARK_TOKEN') this.allowSecretOf('STARK_TOKEN');
    return this.all.token.value;
  }

  /** How long to wait for each answer; undefined for as long as it takes. */
  get requestTimeoutMs(): number | undefined {
    return Number(this.all['request-timeout'].value ?? 0) || undefined;
  }

  /** The session that earlier versions kept, where the place is theirs too. */
  get legacyCredentials(): string | undefined {
    return this.#legacyCredentials;
  }

  get output(): OutputFormat {
    const { value, origin } = this.all.output;
    const format = formatOf(value);
    if (format === undefined) throw usageError(`output "${value}" (${origin}) is none of ${formatNames.join(', ')}`);
    return format;
  }
}

const defaults = { url: 'http://127.0.0.1:54321', namespace: 'default', output: 'table' };

const projectKeys = ['context', 'url', 'key', 'namespace', 'output'] as const;

/** Reads every source and decides each setting by the fixed order. */
export async function resolveSettings(sources: SettingSources = {}): Promise<Settings> {
  const { flags = {}, env = process.env, cwd = process.cwd(), home = homedir() } = sources;
  const directory = configDirectory(env, home);
  const contexts = new Contexts(directory);
  const project = await readProject(cwd);
  const legacy = await readLegacy(home);
  const above = (name: SettingName): Setting | undefined => {
    if (flags[name] !== undefined) return { value: flags[name], origin: `flag --${name}` };
    const variable = `STARK_${name.toUpperCase().replaceAll('-', '_')}`;
    if (env[variable]) return { value: env[variable], origin: `variable ${variable}` };
    const inProject = project?.values[name];
    return inProject === undefined ? undefined : { value: inProject, origin: project?.path ?? '' };
  };

  const current = await contexts.current();
  const context = above('context') ?? {
    value: current,
    origin: current === undefined ? 'default' : join(directory, 'config.json'),
  };
  const chosen = await chosenContext(contexts, context, current);
  const url = above('url');
  const byUrl = url !== undefined && url.origin === project?.path;
  const byContext = url === undefined && context.origin === project?.path && context.value !== current;
  const projectOfUrl = byUrl || byContext ? project?.path : undefined;
  const below = (name: 'url' | 'key' | 'namespace' | 'output', fallback?: string): Setting => {
    const inContext = name === 'output' ? undefined : chosen?.[name];
    // The key of one place is not for another.
    if (name === 'key' && byUrl && withoutSlash(url?.value) !== chosen?.url) {
      return { value: undefined, origin: 'not set' };
    }
    if (inContext !== undefined) return { value: inContext, origin: contexts.path(context.value ?? '') };
    const general = chosen === undefined ? supabaseVariable(name, env, url?.value) : undefined;
    if (general !== undefined) return general;
    const old = legacy?.values[name];
    if (old !== undefined) return { value: old, origin: legacy?.path ?? '' };
    return { value: fallback, origin: fallback === undefined ? 'not set' : 'default' };
  };
  const place = checkedUrl(url ?? below('url', defaults.url));
  const isOfOld = legacy !== undefined && place.origin === legacy.path;
  return new Settings(
    {
      context,
      url: place,
      key: above('key') ?? below('key'),
      namespace: above('namespace') ?? below('namespace', defaults.namespace),
      output: above('output') ?? below('output', defaults.output),
      token: above('token') ?? { value: undefined, origin: 'not set' },
      'request-timeout': checkedTimeout(above('request-timeout') ?? { value: undefined, origin: 'not set' }),
    },
    directory,
    { projectOfUrl, legacyCredentials: isOfOld ? join(legacyDirectory(home), 'credentials.json') : undefined },
  );
}

// Variables that many programs read: they may be another project's, so a context that somebody chose stands above them.
function supabaseVariable(name: SettingName, env: NodeJS.ProcessEnv, url: string | undefined): Setting | undefined {
  const { SUPABASE_URL: place, SUPABASE_ANON_KEY: key } = env;
  if (!place) return undefined;
  if (name === 'url') return { value: place, origin: 'variable SUPABASE_URL' };
  const isThere = url === undefined || withoutSlash(url) === withoutSlash(place);
  return name === 'key' && key && isThere ? { value: key, origin: 'variable SUPABASE_ANON_KEY' } : undefined;
}

function checkedTimeout(setting: Setting): Setting {
  if (setting.value === undefined) return setting;
  try {
    // A bare number is seconds, as kubectl has it, and 0 is no limit.
    const text = /^\d+$/.test(setting.value) ? `${setting.value}s` : setting.value;
    return { ...setting, value: String(parseDuration(text)) };
  } catch {
    throw usageError(
      `request timeout "${setting.value}" (${setting.origin}) is no duration`,
      'e.g. --request-timeout 10s',
    );
  }
}

// A context that was asked for must exist; one that was merely current may have been deleted behind our back.
async function chosenContext(
  contexts: Contexts,
  setting: Setting,
  current: string | undefined,
): Promise<Context | undefined> {
  if (setting.value === undefined) return undefined;
  return setting.value === current ? contexts.find(setting.value) : contexts.get(setting.value);
}

interface FileValues {
  path: string;
  values: Partial<Record<SettingName, string>>;
}

async function readProject(cwd: string): Promise<FileValues | undefined> {
  for (const folder of upwards(cwd)) {
    const path = join(folder, 'stark.json');
    const found = await readJsonFile(path);
    if (found === undefined) continue;
    const values: FileValues['values'] = {};
    for (const [key, value] of Object.entries(found)) {
      const known = projectKeys.find((name) => name === key);
      if (known === undefined) {
        const meant = nearest(key, projectKeys);
        throw usageError(`${path}: unknown key "${key}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
      }
      if (typeof value !== 'string') throw usageError(`${path}: "${key}" must be a string`);
      values[known] = value;
    }
    return { path, values };
  }
  return undefined;
}

async function readLegacy(home: string): Promise<FileValues | undefined> {
  const path = join(legacyDirectory(home), 'config.json');
  const found = await readJsonFile(path);
  if (found === undefined) return undefined;
  const values: FileValues['values'] = {};
  const take = (name: SettingName, key: string) => {
    const value = found[key];
    if (typeof value === 'string') values[name] = value;
  };
  take('url', 'supabaseUrl');
  take('key', 'supabaseAnonKey');
  take('namespace', 'defaultNamespace');
  take('output', 'defaultOutputFormat');
  // Its third format has another name here.
  if (values.output === 'plain') values.output = 'table';
  return { path, values };
}

function checkedUrl(setting: Setting): Setting {
  const url = URL.parse?.(setting.value ?? '') ?? safeUrl(setting.value ?? '');
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(`"${setting.value}" (${setting.origin}) is no http or https URL`);
  }
  return { ...setting, value: withoutSlash(setting.value) };
}

const withoutSlash = (url = '') => url.replace(/\/+$/, '');

function safeUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

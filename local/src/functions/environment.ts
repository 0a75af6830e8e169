import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import type { Logger } from 'pino';
import type { ApiKeys } from '../gateway/api-keys.js';

/** The variables every hosted function finds, for a stack at `url`. */
export async function hostedEnvironment(options: {
  url: string;
  dbUrl: string;
  keys: ApiKeys;
}): Promise<Record<string, string>> {
  const { url, dbUrl, keys } = options;
  return {
    SUPABASE_URL: url,
    SUPABASE_ANON_KEY: await keys.jwt('anon'),
    SUPABASE_SERVICE_ROLE_KEY: await keys.jwt('service_role'),
    SUPABASE_DB_URL: dbUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
  };
}

/** The secrets of supabase/functions/.env; names the platform keeps for itself are left out, as hosted does. */
export async function readSecrets(path: string, log: Logger): Promise<Record<string, string>> {
  let text: string;
  try {
    // The decoder drops the byte order mark that some editors write.
    text = new TextDecoder().decode(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (name.startsWith('SUPABASE_')) log.warn({ name }, 'secret names cannot start with SUPABASE_: skipped');
    else if (value !== undefined) secrets[name] = value;
  }
  return secrets;
}

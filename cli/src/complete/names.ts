import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Contexts } from '../config/contexts.js';
import { configDirectory } from '../config/directories.js';
import { writePrivateJson } from '../config/files.js';
import { resolveSettings } from '../config/settings.js';
import { Connection } from '../session/connection.js';
import type { Wanted } from './candidates.js';

/** Names younger than this are not asked for again. */
const FRESH_MS = 10_000;
/** Older ones are shown while the cluster does not answer in time, and not longer than this. */
const USABLE_MS = 24 * 3_600_000;
/** What a person at a prompt does not notice. */
export const BUDGET_MS = 200;
/** Names that are asked for at once; where there are more, those that begin as the word does. */
const MOST_NAMES = 500;

/** Which names are wanted, as far as the command line says. */
export interface NamesQuery extends Wanted {
  /** What they begin with. */
  start: string;
  namespace?: string | undefined;
  context?: string | undefined;
}

interface Kept {
  at: number;
  /** Whether there are more than these. */
  more: boolean;
  names: string[];
}

/**
 * Names from the cache where they are fresh, else from the cluster if it answers at once, else old ones, while a process of its own
 * asks at leisure, so that the next keystroke finds them. Whatever goes wrong, there are no names: nothing may disturb the line that
 * somebody types.
 */
export async function namesOf(query: NamesQuery): Promise<string[]> {
  if (query.kind === 'context') return new Contexts(configDirectory()).names();
  const place = await placeOf(query);
  if (place === undefined) return [];
  const all = await kept(place.file, { ...query, start: '' });
  const own = all?.more === true && query.start !== '' ? { ...query } : { ...query, start: '' };
  const found = own.start === '' ? all : await kept(place.file, own);
  if (found !== undefined && Date.now() - found.at < FRESH_MS) return found.names;
  const asked = place.isSignedIn ? await within(BUDGET_MS, fetchNames(place, own)) : undefined;
  if (asked !== undefined) return asked.names;
  await refreshBehind(place.file, own);
  return found?.names ?? [];
}

/** Asks at leisure, renewing the session where its time is up, and keeps what is answered. */
export async function refreshNames(query: NamesQuery): Promise<void> {
  const place = await placeOf(query);
  if (place !== undefined) await within(10_000, fetchNames(place, query));
}

interface Place {
  connection: Connection;
  namespace: string;
  /** Where the names of this cluster are kept, as this user may see them. */
  file: string;
  /** There is a token that is good without asking anybody. */
  isSignedIn: boolean;
}

async function placeOf({ namespace, context }: NamesQuery): Promise<Place | undefined> {
  const settings = await resolveSettings({ flags: { namespace, context } });
  if (settings.key === undefined) return undefined;
  const connection = new Connection(settings, false);
  const session = await connection.sessions.read();
  const user = settings.token ?? session?.userId;
  if (user === undefined) return undefined;
  const id = createHash('sha256').update(`${settings.url}\n${user}`).digest('hex').slice(0, 20);
  const isSignedIn = settings.token !== undefined || (session?.expiresAt ?? 0) - 5 > Date.now() / 1000;
  return { connection, namespace: settings.namespace, file: join(cacheDirectory(), id), isSignedIn };
}

function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stark', 'names');
}

const fileOf = (file: string, { kind, namespace = '', start }: NamesQuery) =>
  `${file}-${createHash('sha256').update(`${kind}\n${namespace}\n${start}`).digest('hex').slice(0, 20)}.json`;

async function kept(file: string, query: NamesQuery): Promise<Kept | undefined> {
  const text = await readFile(fileOf(file, query), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { at, more, names } = JSON.parse(text) as Partial<Kept>;
    if (typeof at !== 'number' || !Array.isArray(names) || Date.now() - at > USABLE_MS) return undefined;
    return { at, more: more === true, names: names.filter((name) => typeof name === 'string') };
  } catch {
    return undefined;
  }
}

/** What was answered in time; nothing else ends a request as surely, as a connection may still be proving who it leads to. */
async function within(budgetMs: number, answer: Promise<Kept>): Promise<Kept | undefined> {
  return Promise.race([answer.catch(() => undefined), sleep(budgetMs, undefined)]);
}

async function fetchNames({ connection, namespace, file }: Place, query: NamesQuery): Promise<Kept> {
  const [{ RESOURCES }, token] = await Promise.all([import('@stark-o/core/resources'), connection.accessToken()]);
  const resource = RESOURCES[query.kind as keyof typeof RESOURCES];
  const { source, nameColumn, unlisted } = resource;
  const url = new URL(`${connection.url}/rest/v1/${'fn' in source ? `rpc/${source.fn}` : source.table}`);
  url.searchParams.set('select', nameColumn);
  url.searchParams.set('order', nameColumn);
  url.searchParams.set('limit', String(MOST_NAMES));
  if (resource.namespaced) url.searchParams.set('namespace', `eq.${namespace}`);
  // A star is any text there; a name has none.
  if (query.start !== '') url.searchParams.append(nameColumn, `like.${query.start.replaceAll('*', '')}*`);
  if (unlisted?.column === nameColumn) url.searchParams.append(nameColumn, `not.like.${unlisted.like}`);
  const headers = { apikey: connection.key, authorization: `Bearer ${token}`, 'accept-profile': 'stark' };
  const response = await connection.fetch(url, { headers });
  if (!response.ok) throw new Error(`${response.status} for ${url.pathname}`);
  const rows = (await response.json()) as Record<string, unknown>[];
  const names = rows.map((row) => String(row[nameColumn]));
  const answer = { at: Date.now(), more: names.length === MOST_NAMES, names };
  await writePrivateJson(fileOf(file, query), answer);
  await forgetOld();
  return answer;
}

/** Takes away what nobody has asked for since long. */
async function forgetOld(): Promise<void> {
  const folder = cacheDirectory();
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > USABLE_MS) await rm(join(folder, name), { force: true });
  }
}

/** One such process is enough for a while, however often the key is struck. */
async function refreshBehind(file: string, query: NamesQuery): Promise<void> {
  const mark = `${fileOf(file, query)}.asked`;
  const last = await stat(mark).catch(() => undefined);
  if (last !== undefined && Date.now() - last.mtimeMs < FRESH_MS) return;
  await writePrivateJson(mark, {});
  const program = fileURLToPath(new URL('../../bin/stark.js', import.meta.url));
  const args = [program, '__complete', '--refresh', JSON.stringify(query)];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref();
}

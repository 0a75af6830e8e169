import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { AuthApiError, AuthRetryableFetchError, AuthSessionMissingError } from '@supabase/supabase-js';
import { describe, expect, it, vi } from 'vitest';
import { createStarkClient } from '../src/client/client.js';
import { ERROR_CODES } from '../src/errors/codes.js';
import { EXIT_CODES, exitCodeOf } from '../src/errors/exit-codes.js';
import { StarkError } from '../src/errors/stark-error.js';
import { toStarkError } from '../src/errors/to-stark-error.js';

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('exit codes', () => {
  it.each([
    ['QUOTA_EXCEEDED', 409, 7],
    ['X', 400, 2],
    ['X', 401, 4],
    ['X', 403, 5],
    ['X', 404, 6],
    ['X', 429, 7],
    ['X', 500, 1],
    ['X', 503, 8],
    ['X', undefined, 1],
    ['UNREACHABLE', undefined, 8],
    ['CLUSTER_BUSY', 503, 8],
    ['INVALID_CREDENTIALS', 400, 4],
    ['WAIT_TIMED_OUT', undefined, 3],
  ])('%s with status %s exits %i', (code, status, exit) => {
    expect(exitCodeOf(code, status)).toBe(exit);
  });
});

it('gives every code of the database the exit code that the database says', async () => {
  const sql = await readFile(new URL('../../supabase/migrations/20260101000001_schemas.sql', import.meta.url), 'utf8');
  const list = /insert into stark\.error_codes.*?\);\n/s.exec(sql)?.[0] ?? '';
  const rows = [...list.matchAll(/\('([A-Z_]+)', (\d+), (\d+),/g)];
  expect(rows.length).toBeGreaterThan(20);
  const wrong = rows.filter(([, code, status, exit]) => exitCodeOf(code as string, Number(status)) !== Number(exit));
  expect(wrong.map(([row]) => row)).toEqual([]);
});

/** The sources of a room of the repository. */
async function sources(folder: string): Promise<{ path: string; text: string }[]> {
  const url = new URL(`../../${folder}/`, import.meta.url);
  const names = (await readdir(url, { recursive: true })).filter(
    (name) => /\.ts$/.test(name) && !/\.d\.ts$/.test(name),
  );
  return Promise.all(names.map(async (path) => ({ path, text: await readFile(new URL(path, url), 'utf8') })));
}

describe('the catalogue of codes', () => {
  // A code is the `code` of a StarkError's options, or the first text in capitals of the other classes.
  const OF_A_STARK_ERROR = /\b(?:code|notFound): '([A-Z][A-Z0-9_]*)'|return '([A-Z][A-Z_]+)';/g;
  const OF_ANOTHER_CLASS =
    /\b(?:StackError|ClusterError|ApiError|super)\([^';{]*(?:'[a-z-]+',\s*)?'([A-Z][A-Z0-9_]*)'/g;
  const OF_NODE = /^(ERR_|E[A-Z]+$|MODULE_NOT_FOUND$)/;

  async function said(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const rooms = { 'core/src': OF_A_STARK_ERROR, 'agent/src': OF_A_STARK_ERROR, 'cli/src': OF_A_STARK_ERROR };
    const others = { 'local/src': OF_ANOTHER_CLASS, 'supabase/functions': OF_ANOTHER_CLASS };
    for (const [room, pattern] of Object.entries({ ...rooms, ...others })) {
      for (const { path, text } of await sources(room)) {
        for (const [, first, second] of text.matchAll(pattern)) {
          const code = first ?? second ?? '';
          if (!OF_NODE.test(code)) found.set(code, `${room}/${path}`);
        }
      }
    }
    return found;
  }

  it('has every code that is said and that the database does not have', async () => {
    const sql = (await sqlTexts()).join('');
    const missing = [...(await said())].filter(([code]) => !(code in ERROR_CODES) && !sql.includes(`('${code}', `));
    expect(missing).toEqual([]);
  });

  it('has no code that nobody says, and none that the database has', async () => {
    const sql = (await sqlTexts()).join('');
    const all = (
      await Promise.all(
        ['core/src', 'agent/src', 'cli/src', 'local/src', 'supabase/functions', 'file-lock/src'].map((room) =>
          sources(room),
        ),
      )
    ).flat();
    const text = all.filter(({ path }) => !path.endsWith('codes.ts')).map((source) => source.text);
    const codes = Object.keys(ERROR_CODES);
    expect(codes.filter((code) => !text.some((source) => source.includes(`'${code}'`)))).toEqual([]);
    expect(codes.filter((code) => sql.includes(`('${code}', `))).toEqual([]);
    expect(codes).toEqual([...codes].sort());
  });
});

async function sqlTexts(): Promise<string[]> {
  const folder = new URL('../../supabase/migrations/', import.meta.url);
  return Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')));
}

describe('toStarkError', () => {
  it('keeps code, hint and details of an error raised in SQL', () => {
    const raised = {
      code: 'QUOTA_EXCEEDED',
      message: 'namespace a: 11 of 10 pods',
      hint: 'stark quota describe a',
      details: '{"limit":10}',
    };
    const error = toStarkError(raised, { status: 409 });
    expect(error).toMatchObject({ ...raised, status: 409, exitCode: EXIT_CODES.conflict });
    expect(error.toEnvelope()).toEqual({ error: raised });
  });

  it('gives back a StarkError as it is', () => {
    const error = new StarkError('a', { code: 'B' });
    expect(toStarkError(error)).toBe(error);
  });

  it('tells a missing session from a missing right', () => {
    const refused = { code: '42501', message: 'permission denied for table pods' };
    expect(toStarkError(refused, { status: 401 })).toMatchObject({
      code: 'NOT_SIGNED_IN',
      exitCode: 4,
      hint: 'stark auth login',
    });
    expect(toStarkError(refused, { status: 403 })).toMatchObject({ code: 'FORBIDDEN', exitCode: 5 });
  });

  it('says that the cluster is busy where a lock was waited for too long', () => {
    const raised = { code: '55P03', message: 'canceling statement due to lock timeout' };
    expect(toStarkError(raised, { status: 500 })).toMatchObject({
      code: 'CLUSTER_BUSY',
      status: 503,
      exitCode: EXIT_CODES.unreachable,
      hint: 'try again',
    });
  });

  it('reads an error envelope', () => {
    const envelope = { error: { code: 'SETUP_DONE', message: 'already set up', hint: null, details: null } };
    expect(toStarkError(envelope, { status: 409 })).toMatchObject({ code: 'SETUP_DONE', exitCode: 7, hint: undefined });
  });

  it('reads errors of Auth', () => {
    expect(toStarkError(new AuthApiError('Invalid login credentials', 400, 'invalid_credentials'))).toMatchObject({
      code: 'INVALID_CREDENTIALS',
      exitCode: 4,
    });
    expect(toStarkError(new AuthSessionMissingError())).toMatchObject({ code: 'NOT_SIGNED_IN', exitCode: 4 });
    expect(toStarkError(new AuthApiError('Already used', 400, 'refresh_token_already_used'))).toMatchObject({
      code: 'NOT_SIGNED_IN',
    });
    expect(toStarkError(new AuthRetryableFetchError('fetch failed', 0))).toMatchObject({
      code: 'UNREACHABLE',
      exitCode: 8,
    });
  });

  it('makes something of anything', () => {
    expect(toStarkError('boom')).toMatchObject({ code: 'UNKNOWN', message: 'boom', exitCode: 1 });
    expect(toStarkError(undefined)).toMatchObject({ code: 'UNKNOWN', exitCode: 1 });
    expect(toStarkError(new TypeError('x is not a function'))).toMatchObject({ code: 'UNKNOWN', exitCode: 1 });
  });

  it('names a cluster that does not answer, through every service of the real client', async () => {
    const url = await closedPort();
    const printed = vi.spyOn(console, 'error');
    const client = createStarkClient({ url, key: 'key', auth: { persistSession: false } });
    const rest = await client.from('pods').select().retry(false);
    const restError = toStarkError(rest.error, { status: rest.status, url });
    expect(restError).toMatchObject({ code: 'UNREACHABLE', exitCode: 8 });
    expect(restError.message).toBe(`cannot reach ${url}: ECONNREFUSED`);
    const storage = await client.storage.from('packs').download('a');
    expect(toStarkError(storage.error)).toMatchObject({ code: 'UNREACHABLE', exitCode: 8 });
    const auth = await client.auth.signInWithPassword({ email: 'a@b.c', password: 'x' });
    expect(toStarkError(auth.error, { url })).toMatchObject({
      code: 'UNREACHABLE',
      message: `cannot reach ${url}: ECONNREFUSED`,
    });
    expect(printed).not.toHaveBeenCalled();
  });

  it('does not take an abort for an unreachable cluster', () => {
    const error = toStarkError(
      { message: 'AbortError: This operation was aborted', code: '', details: '' },
      { status: 0 },
    );
    expect(error.code).not.toBe('UNREACHABLE');
  });
});

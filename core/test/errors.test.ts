import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { AuthApiError, AuthRetryableFetchError, AuthSessionMissingError } from '@supabase/supabase-js';
import { describe, expect, it, vi } from 'vitest';
import { createStarkClient } from '../src/client/client.js';
import { StarkError } from '../src/client/errors.js';
import { EXIT_CODES, exitCodeOf } from '../src/client/exit-codes.js';
import { toStarkError } from '../src/client/to-stark-error.js';

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

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../harness/stack.js';

let stack: TestStack;
let database: pg.Client;

beforeAll(async () => {
  stack = await startTestStack();
  database = new pg.Client(stack.stack.dbUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await stack.stop();
});

/** The SQLSTATE a script of role `postgres` ends with; undefined when it went through. Nothing of it stays. */
async function refusal(script: string): Promise<string | undefined> {
  await database.query('begin');
  try {
    await database.query(script);
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  } finally {
    await database.query('rollback');
  }
}

/** Why a role cannot log in with this password; undefined when it can. */
async function loginRefusal(role: string, password: string): Promise<string | undefined> {
  const url = new URL(stack.stack.dbUrl);
  const client = new pg.Client({
    host: url.hostname,
    port: Number(url.port),
    user: role,
    password,
    database: 'postgres',
  });
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe('a password', () => {
  it('is nowhere the one that everybody would try', async () => {
    const { rows } = await database.query<{ rolname: string }>('select rolname from pg_roles where rolcanlogin');
    expect(rows.map(({ rolname }) => rolname)).toContain('authenticator');
    for (const { rolname } of rows) expect(await loginRefusal(rolname, 'postgres'), rolname).toBe('28P01');
  });

  it('that an operator knows is not the superuser’s, and lets no API role in', async () => {
    const { password } = new URL(stack.stack.dbUrl);
    expect(await loginRefusal('postgres', password)).toBeUndefined();
    expect(await loginRefusal('supabase_admin', password)).toBe('28P01');
    for (const role of ['anon', 'authenticated', 'service_role', 'supabase_realtime_admin', 'dashboard_user']) {
      expect(await loginRefusal(role, password), role).toBe('28000');
    }
  });

  it('logs in no role that is superuser', async () => {
    const { rows } = await database.query('select rolname from pg_roles where rolsuper and rolcanlogin');
    expect(rows).toEqual([{ rolname: 'supabase_admin' }]);
  });
});

describe('role postgres', () => {
  it.each([
    ['takes the superuser’s role', 'set role supabase_admin'],
    ['takes its session', 'set session authorization supabase_admin'],
    ['makes itself superuser', 'alter role postgres superuser'],
    ['changes the superuser’s password', `alter role supabase_admin password 'x'`],
    ['runs a program', `copy (select 1) to program 'true'`],
    ['writes a file', `copy (select 1) to '/tmp/stark-security-test'`],
    ['reads the vault’s key', `select pg_read_file('vault.key')`],
    ['reads the superuser’s password', `select pg_read_file('superuser.password')`],
    ['lists the data folder', `select pg_ls_dir('.')`],
    ['reads a file into a large object', `select lo_import('/etc/passwd')`],
    ['adds a function of machine code', `create function pg_temp.f() returns int language c as 'libc', 'system'`],
    ['adds a language that is not trusted', 'create extension plpython3u'],
    ['reads files as tables', 'create extension file_fdw'],
    [
      'has an event trigger of its own',
      'create event trigger e on sql_drop execute function extensions.pgrst_drop_watch()',
    ],
    ['edits the job of another role', `update cron.job set username = 'supabase_admin'`],
    ['lends itself the platform’s tables', 'grant supabase_auth_admin to postgres'],
  ])('never %s', async (_what, script) => {
    expect(await refusal(script)).toMatch(/^(42501|0A000|22023|P0001)$/);
  });

  it('has no job run as superuser', async () => {
    expect(
      await refusal(`select cron.schedule_in_database('j', '1 seconds', 'select 1', 'postgres', 'supabase_admin')`),
    ).toBeDefined();
    expect(
      await refusal(
        `insert into cron._change (action, schedule, command, username) values ('schedule', '1 seconds', 'select 1', 'supabase_admin')`,
      ),
    ).toBeDefined();
  });

  it.each(['dblink', 'dblink_connect_u'])('does not become superuser by connecting back with %s', async (how) => {
    const { port } = new URL(stack.stack.dbUrl);
    const back = `host=${join(stack.stack.dataDir, 'postgres')} port=${port} user=supabase_admin dbname=postgres`;
    for (const login of [back, `${back} password=postgres`]) {
      const call =
        how === 'dblink'
          ? `select * from extensions.dblink('${login}', 'select current_user::text') as t (who text)`
          : `select extensions.dblink_connect_u('${login}')`;
      expect(await refusal(`create extension dblink schema extensions; ${call}`)).toMatch(/^(2F003|08001|42501)$/);
    }
  });
});

describe('the data folder', () => {
  it('is its owner’s alone', () => {
    const modeOf = (name: string) => statSync(join(stack.stack.dataDir, name)).mode & 0o077;
    for (const name of [
      '.',
      'keys.json',
      'control.sock',
      'postgres',
      'postgres/vault.key',
      'postgres/superuser.password',
      'storage',
      'storage/incoming',
    ]) {
      expect(modeOf(name), name).toBe(0);
    }
    expect(existsSync('/tmp/stark-security-test')).toBe(false);
  });
});

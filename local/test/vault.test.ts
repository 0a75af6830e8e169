import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './postgres-support.js';

let test: TestCluster;
let owner: Sql;
let admin: Sql;

beforeAll(async () => {
  test = await startTestCluster();
  owner = test.as('postgres');
  admin = test.as('supabase_admin');
});

afterAll(() => test.stop());

beforeEach(() => owner`delete from vault.secrets`);

async function create(secret: string, name: string | null = null): Promise<string> {
  const [row] = await owner<{ id: string }[]>`select vault.create_secret(${secret}, ${name}, 'for a test') as id`;
  return row?.id ?? '';
}

async function read(id: string): Promise<string> {
  const [row] = await owner<{ secret: string }[]>`
    select decrypted_secret as secret from vault.decrypted_secrets where id = ${id}
  `;
  return row?.secret ?? '';
}

describe('the vault', () => {
  it('is there from the start, in the version it stands in for', async () => {
    expect(await owner`select extversion from pg_extension where extname = 'supabase_vault'`).toEqual([
      { extversion: '0.3.1' },
    ]);
  });

  it.each(['s3cret', '', 'ünïcode 🔑\n', 'x'.repeat(100_000)])('gives back what it was given (%#)', async (secret) => {
    expect(await read(await create(secret))).toBe(secret);
  });

  it('keeps no plain text, and no two alike', async () => {
    await create('a secret that would be found');
    await create('a secret that would be found');
    const rows = await owner<{ secret: string; nonce: Buffer }[]>`select secret, nonce from vault.secrets`;
    for (const { secret } of rows) {
      expect(secret).not.toContain('secret');
      expect(Buffer.from(secret, 'base64').toString('latin1')).not.toContain('secret');
    }
    expect(rows[0]?.secret).not.toBe(rows[1]?.secret);
    expect(rows[0]?.nonce.equals(rows[1]?.nonce ?? Buffer.alloc(0))).toBe(false);
  });

  it('changes what is given, keeps the rest, and takes a fresh nonce for a fresh secret', async () => {
    const id = await create('one', 'name');
    const nonce = () => owner`select encode(nonce, 'hex') as nonce from vault.secrets`.then(([row]) => row?.nonce);
    const before = await nonce();
    await owner`select vault.update_secret(${id}, new_description => 'other')`;
    expect(await nonce()).toBe(before);
    await owner`select vault.update_secret(${id}, 'two')`;
    expect(await nonce()).not.toBe(before);
    expect(await owner`select name, description, decrypted_secret from vault.decrypted_secrets`).toEqual([
      { name: 'name', description: 'other', decrypted_secret: 'two' },
    ]);
  });

  it('has one secret of a name', async () => {
    await create('one', 'twice');
    await expect(create('two', 'twice')).rejects.toMatchObject({ code: '23505' });
  });

  it('sees when a secret was changed or moved to another row', async () => {
    const id = await create('one');
    const other = await create('two');
    await admin`
      update vault.secrets s set secret = o.secret, nonce = o.nonce from vault.secrets o where s.id = ${id} and o.id = ${other}
    `;
    await expect(read(id)).rejects.toMatchObject({ code: 'XX001' });
    await admin`
      update vault.secrets set secret = encode(set_byte(decode(secret, 'base64'), 0, get_byte(decode(secret, 'base64'), 0) # 1), 'base64')
      where id = ${other}
    `;
    await expect(read(other)).rejects.toMatchObject({ code: 'XX001' });
  });

  it('is of no use without its key file, nor with another', async () => {
    const id = await create('one');
    const file = path.join(test.cluster.dataDir, 'vault.key');
    const key = await readFile(file, 'utf8');
    try {
      await rename(file, `${file}.away`);
      await expect(read(id)).rejects.toMatchObject({ code: '58P01' });
    } finally {
      await rename(`${file}.away`, file);
    }
    try {
      await writeFile(file, 'ab'.repeat(32));
      await expect(read(id)).rejects.toMatchObject({ code: 'XX001' });
    } finally {
      await writeFile(file, key);
    }
    expect(await read(id)).toBe('one');
  });

  it('is readable by postgres and service_role, and nobody else', async () => {
    const id = await create('one', 'shared');
    const readAs = (role: string) =>
      owner.begin(async (sql) => {
        await sql.unsafe(`set local role ${role}`);
        return sql`select decrypted_secret from vault.decrypted_secrets where id = ${id}`;
      });
    expect(await readAs('service_role')).toEqual([{ decrypted_secret: 'one' }]);
    for (const role of ['anon', 'authenticated']) {
      await expect(readAs(role)).rejects.toMatchObject({ code: '42501' });
    }
    await expect(owner`select vault._derive_key('encrypt')`).rejects.toMatchObject({ code: '42501' });
    await expect(owner`insert into vault.secrets (secret) values ('plain')`).rejects.toMatchObject({ code: '42501' });
    await expect(owner`update vault.secrets set secret = 'plain'`).rejects.toMatchObject({ code: '42501' });
  });

  it('serves a function of another role that asks on its behalf', async () => {
    await create('one', 'for-function');
    await owner.unsafe(`
      create function public.my_secret() returns text language sql security definer set search_path = '' as $$
        select decrypted_secret from vault.decrypted_secrets where name = 'for-function'
      $$
    `);
    const rows = await owner.begin(async (sql) => {
      await sql`set local role anon`;
      return sql`select public.my_secret()`;
    });
    expect(rows).toEqual([{ my_secret: 'one' }]);
  });
});

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hash } from 'bcryptjs';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.js';

/** What an admin may say about a user; the names are GoTrue's. */
export interface UserParams {
  id?: string;
  aud?: string;
  role?: string;
  email?: string;
  phone?: string;
  password?: string;
  password_hash?: string;
  email_confirm?: boolean;
  phone_confirm?: boolean;
  user_metadata?: Record<string, unknown>;
  app_metadata?: Record<string, unknown>;
  ban_duration?: string;
}

/** A user as the Auth API shows it. */
export type UserJson = Record<string, unknown> & { id: string };

const bcryptCost = 10;

/** The rows of `auth.users` and `auth.identities`, written as GoTrue's admin API writes them. */
export class AuthUsers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(id: string): Promise<UserJson | undefined> {
    return find(this.#database, id);
  }

  /** Newest first. `total` counts all users, not this page. */
  async list(page: number, perPage: number): Promise<{ users: UserJson[]; total: number }> {
    const users = await select(
      this.#database,
      sql`where u.deleted_at is null order by u.created_at desc, u.id limit ${perPage} offset ${(page - 1) * perPage}`,
    );
    const { rows } = await sql<{ total: number }>`
      select count(*)::int as total from auth.users where deleted_at is null
    `.execute(this.#database);
    return { users, total: rows[0]?.total ?? 0 };
  }

  async create(params: UserParams, bannedUntil: string | null): Promise<UserJson> {
    const id = params.id ?? randomUUID();
    const password = params.password_hash ?? (await hash(params.password ?? randomPassword(), bcryptCost));
    const providers = [...(params.email ? ['email'] : []), ...(params.phone ? ['phone'] : [])];
    const userMetadata = {
      ...params.user_metadata,
      ...(params.email && params.email_confirm ? { email_verified: true } : {}),
      ...(params.phone && params.phone_confirm ? { phone_verified: true } : {}),
    };
    const appMetadata = { provider: providers[0], providers, ...params.app_metadata };
    return this.#database.transaction().execute(async (database) => {
      await sql`
        insert into auth.users (id, aud, role, email, phone, encrypted_password, email_confirmed_at, phone_confirmed_at,
          raw_app_meta_data, raw_user_meta_data, banned_until)
        values (${id}, ${params.aud ?? 'authenticated'}, ${params.role ?? 'authenticated'}, ${params.email ?? null},
          ${params.phone ?? null}, ${password}, ${nowIf(params.email && params.email_confirm)},
          ${nowIf(params.phone && params.phone_confirm)}, ${json(appMetadata)}, ${json(userMetadata)}, ${bannedUntil})
      `.execute(database);
      if (params.email) await addIdentity(database, id, 'email', { email: params.email });
      if (params.phone) await addIdentity(database, id, 'phone', { phone: params.phone });
      return mustFind(database, id);
    });
  }

  async update(id: string, params: UserParams, bannedUntil: string | null | undefined): Promise<UserJson | undefined> {
    const password = params.password_hash ?? (params.password ? await hash(params.password, bcryptCost) : undefined);
    return this.#database.transaction().execute(async (database) => {
      const { rows } = await sql<{ email: string | null; raw_app_meta_data: object; raw_user_meta_data: object }>`
        select email, raw_app_meta_data, raw_user_meta_data from auth.users where id = ${id} for update
      `.execute(database);
      const [current] = rows;
      if (!current) return undefined;
      const userMetadata = merge(current.raw_user_meta_data, params.user_metadata);
      if (params.email_confirm) userMetadata.email_verified = true;
      const changes: [column: string, value: unknown][] = [
        ['updated_at', new Date().toISOString()],
        ['role', params.role],
        ['aud', params.aud],
        ['encrypted_password', password],
        ['email', params.email],
        ['phone', params.phone],
        ['email_confirmed_at', params.email_confirm ? new Date().toISOString() : undefined],
        ['phone_confirmed_at', params.phone_confirm ? new Date().toISOString() : undefined],
        ['banned_until', bannedUntil],
        ['raw_user_meta_data', json(userMetadata)],
        ['raw_app_meta_data', json(merge(current.raw_app_meta_data, params.app_metadata))],
      ];
      const assignments = changes
        .filter(([, value]) => value !== undefined)
        .map(([column, value]) => sql`${sql.id(column)} = ${value}`);
      await sql`update auth.users set ${sql.join(assignments)} where id = ${id}`.execute(database);
      if (params.email !== undefined && params.email !== current.email)
        await renameIdentity(database, id, params.email);
      return mustFind(database, id);
    });
  }

  /** Removes a user and with it identities, sessions and refresh tokens. False when there is none. */
  async remove(id: string): Promise<boolean> {
    return this.#database.transaction().execute(async (database) => {
      await sql`delete from auth.refresh_tokens where user_id = ${id}`.execute(database);
      const { rows } = await sql`delete from auth.users where id = ${id} returning id`.execute(database);
      return rows.length > 0;
    });
  }

  /** Keeps the row for those who refer to it, and makes it tell nothing and admit nobody. */
  async softRemove(id: string): Promise<boolean> {
    return this.#database.transaction().execute(async (database) => {
      const { rows } = await sql<{ email: string | null; phone: string | null }>`
        select email, phone from auth.users where id = ${id} for update
      `.execute(database);
      const [user] = rows;
      if (!user) return false;
      const veil = (value: string | null) => value && createHash('sha256').update(`${id}:${value}`).digest('base64url');
      await sql`
        update auth.users set email = ${veil(user.email)}, phone = ${veil(user.phone)}, encrypted_password = null,
          raw_app_meta_data = '{}', raw_user_meta_data = '{}', deleted_at = now(), updated_at = now()
        where id = ${id}
      `.execute(database);
      for (const table of ['identities', 'refresh_tokens', 'sessions']) {
        await sql`delete from ${sql.id('auth', table)} where user_id = ${id}`.execute(database);
      }
      return true;
    });
  }
}

async function find(database: Database, id: string): Promise<UserJson | undefined> {
  const [user] = await select(database, sql`where u.id = ${id}`);
  return user;
}

async function mustFind(database: Database, id: string): Promise<UserJson> {
  const user = await find(database, id);
  if (!user) throw new Error(`user ${id} vanished in its own transaction`);
  return user;
}

/** Users in their API shape; `tail` is what follows `from`. */
async function select(database: Database, tail: RawBuilder<unknown>): Promise<UserJson[]> {
  const { rows } = await sql<{ user: UserJson }>`
    select jsonb_strip_nulls(jsonb_build_object(
        'id', u.id, 'aud', u.aud, 'role', u.role, 'email', coalesce(u.email, ''), 'phone', coalesce(u.phone, ''),
        'email_confirmed_at', u.email_confirmed_at, 'phone_confirmed_at', u.phone_confirmed_at,
        'confirmed_at', u.confirmed_at, 'invited_at', u.invited_at, 'last_sign_in_at', u.last_sign_in_at,
        'banned_until', u.banned_until, 'deleted_at', u.deleted_at, 'is_anonymous', u.is_anonymous,
        'created_at', u.created_at, 'updated_at', u.updated_at))
      || jsonb_build_object(
        'app_metadata', coalesce(u.raw_app_meta_data, '{}'), 'user_metadata', coalesce(u.raw_user_meta_data, '{}'),
        'identities', coalesce((
          select jsonb_agg(jsonb_build_object('identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id,
            'identity_data', i.identity_data, 'provider', i.provider, 'last_sign_in_at', i.last_sign_in_at,
            'created_at', i.created_at, 'updated_at', i.updated_at, 'email', i.email) order by i.created_at)
          from auth.identities i where i.user_id = u.id), '[]')) as "user"
    from auth.users u ${tail}
  `.execute(database);
  return rows.map(({ user }) => user);
}

async function addIdentity(database: Database, userId: string, provider: string, data: Record<string, string>) {
  const identity = { sub: userId, ...data, email_verified: false, phone_verified: false };
  await sql`
    insert into auth.identities (id, provider, provider_id, user_id, identity_data, last_sign_in_at)
    values (${randomUUID()}, ${provider}, ${userId}, ${userId}, ${json(identity)}, now())
  `.execute(database);
}

async function renameIdentity(database: Database, userId: string, email: string): Promise<void> {
  const { rows } = await sql`
    update auth.identities
    set identity_data = identity_data || jsonb_build_object('email', ${email}::text), updated_at = now()
    where user_id = ${userId} and provider = 'email' returning id
  `.execute(database);
  if (rows.length === 0) await addIdentity(database, userId, 'email', { email });
}

/** Metadata is merged key by key; a null removes its key. */
function merge(current: object, changes: Record<string, unknown> | undefined): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...current };
  for (const [key, value] of Object.entries(changes ?? {})) {
    if (value === null) delete merged[key];
    else merged[key] = value;
  }
  return merged;
}

const nowIf = (is: unknown) => (is ? new Date().toISOString() : null);

const randomPassword = () => randomBytes(24).toString('base64url');

const json = (value: unknown) => JSON.stringify(value);

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hash } from 'bcryptjs';
import type { ISql, Sql, TransactionSql } from 'postgres';

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

type Executor = Sql | TransactionSql;

const bcryptCost = 10;

/** The rows of `auth.users` and `auth.identities`, written as GoTrue's admin API writes them. */
export class AuthUsers {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async find(id: string): Promise<UserJson | undefined> {
    return find(this.#sql, id);
  }

  /** Newest first. `total` counts all users, not this page. */
  async list(page: number, perPage: number): Promise<{ users: UserJson[]; total: number }> {
    const rows = await select(this.#sql)`
      where u.deleted_at is null
      order by u.created_at desc, u.id
      limit ${perPage} offset ${(page - 1) * perPage}`;
    const [count] = await this.#sql<{ total: number }[]>`
      select count(*)::int as total from auth.users where deleted_at is null`;
    return { users: rows.map(({ user }) => user), total: count?.total ?? 0 };
  }

  async create(params: UserParams, bannedUntil: string | null): Promise<UserJson> {
    const id = params.id ?? randomUUID();
    const password =
      params.password_hash ?? (await hash(params.password ?? randomBytes(24).toString('base64url'), bcryptCost));
    const providers = [...(params.email ? ['email'] : []), ...(params.phone ? ['phone'] : [])];
    const userMetadata = {
      ...params.user_metadata,
      ...(params.email && params.email_confirm ? { email_verified: true } : {}),
      ...(params.phone && params.phone_confirm ? { phone_verified: true } : {}),
    };
    const appMetadata = { provider: providers[0], providers, ...params.app_metadata };
    return this.#sql.begin(async (sql) => {
      await sql`
        insert into auth.users (id, aud, role, email, phone, encrypted_password, email_confirmed_at, phone_confirmed_at,
          raw_app_meta_data, raw_user_meta_data, banned_until)
        values (${id}, ${params.aud ?? 'authenticated'}, ${params.role ?? 'authenticated'}, ${params.email ?? null},
          ${params.phone ?? null}, ${password}, ${confirmed(params.email && params.email_confirm)},
          ${confirmed(params.phone && params.phone_confirm)}, ${json(appMetadata)}, ${json(userMetadata)}, ${bannedUntil})`;
      if (params.email) await addIdentity(sql, id, 'email', { email: params.email });
      if (params.phone) await addIdentity(sql, id, 'phone', { phone: params.phone });
      return mustFind(sql, id);
    });
  }

  async update(id: string, params: UserParams, bannedUntil: string | null | undefined): Promise<UserJson | undefined> {
    const password = params.password_hash ?? (params.password ? await hash(params.password, bcryptCost) : undefined);
    return this.#sql.begin(async (sql) => {
      const [current] = await sql<{ email: string | null; raw_app_meta_data: object; raw_user_meta_data: object }[]>`
        select email, raw_app_meta_data, raw_user_meta_data from auth.users where id = ${id} for update`;
      if (!current) return undefined;
      const changes: Record<string, unknown> = { updated_at: new Date().toISOString() };
      if (params.role !== undefined) changes.role = params.role;
      if (params.aud !== undefined) changes.aud = params.aud;
      if (password !== undefined) changes.encrypted_password = password;
      if (params.email !== undefined) changes.email = params.email;
      if (params.phone !== undefined) changes.phone = params.phone;
      if (params.email_confirm) changes.email_confirmed_at = new Date().toISOString();
      if (params.phone_confirm) changes.phone_confirmed_at = new Date().toISOString();
      if (bannedUntil !== undefined) changes.banned_until = bannedUntil;
      const userMetadata = merge(current.raw_user_meta_data, params.user_metadata);
      if (params.email_confirm) userMetadata.email_verified = true;
      changes.raw_user_meta_data = json(userMetadata);
      changes.raw_app_meta_data = json(merge(current.raw_app_meta_data, params.app_metadata));
      await sql`update auth.users set ${sql(changes)} where id = ${id}`;
      if (params.email !== undefined && params.email !== current.email) await renameIdentity(sql, id, params.email);
      return mustFind(sql, id);
    });
  }

  /** Removes a user and with it identities, sessions and refresh tokens. False when there is none. */
  async remove(id: string): Promise<boolean> {
    return this.#sql.begin(async (sql) => {
      await sql`delete from auth.refresh_tokens where user_id = ${id}`;
      const removed = await sql`delete from auth.users where id = ${id} returning id`;
      return removed.length > 0;
    });
  }

  /** Keeps the row for those who refer to it, and makes it tell nothing and admit nobody. */
  async softRemove(id: string): Promise<boolean> {
    return this.#sql.begin(async (sql) => {
      const [user] = await sql<{ email: string | null; phone: string | null }[]>`
        select email, phone from auth.users where id = ${id} for update`;
      if (!user) return false;
      const veil = (value: string | null) => value && createHash('sha256').update(`${id}:${value}`).digest('base64url');
      await sql`
        update auth.users set email = ${veil(user.email)}, phone = ${veil(user.phone)}, encrypted_password = null,
          raw_app_meta_data = '{}', raw_user_meta_data = '{}', deleted_at = now(), updated_at = now()
        where id = ${id}`;
      await sql`delete from auth.identities where user_id = ${id}`;
      await sql`delete from auth.refresh_tokens where user_id = ${id}`;
      await sql`delete from auth.sessions where user_id = ${id}`;
      return true;
    });
  }
}

async function find(sql: Executor, id: string): Promise<UserJson | undefined> {
  const [row] = await select(sql)`where u.id = ${id}`;
  return row?.user;
}

async function mustFind(sql: Executor, id: string): Promise<UserJson> {
  const user = await find(sql, id);
  if (!user) throw new Error(`user ${id} vanished in its own transaction`);
  return user;
}

/** A query for users in their API shape; the caller adds what follows `from`. */
function select(sql: Executor) {
  return (rest: TemplateStringsArray, ...values: (string | number)[]) => {
    const tail = sql(rest, ...values);
    return sql<{ user: UserJson }[]>`
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
      from auth.users u ${tail}`;
  };
}

async function addIdentity(sql: ISql, userId: string, provider: string, data: Record<string, string>): Promise<void> {
  const identity = { sub: userId, ...data, email_verified: false, phone_verified: false };
  await sql`
    insert into auth.identities (id, provider, provider_id, user_id, identity_data, last_sign_in_at)
    values (${randomUUID()}, ${provider}, ${userId}, ${userId}, ${json(identity)}, now())`;
}

async function renameIdentity(sql: ISql, userId: string, email: string): Promise<void> {
  const changed = await sql`
    update auth.identities
    set identity_data = identity_data || jsonb_build_object('email', ${email}::text), updated_at = now()
    where user_id = ${userId} and provider = 'email' returning id`;
  if (changed.length === 0) await addIdentity(sql, userId, 'email', { email });
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

const confirmed = (is: unknown) => (is ? new Date().toISOString() : null);

/** The Auth connection passes text for JSON columns through as it is. */
const json = (value: unknown) => JSON.stringify(value);

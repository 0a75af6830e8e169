import { isEmail } from '@supabase/lite';
import { jwtVerify } from 'jose';
import type { ApiKeys } from '../gateway/api-keys.js';
import { refusal } from './auth-sessions.js';
import { AuthUsers, type UserParams } from './auth-users.js';
import { bearerOf } from './bearer.js';
import type { Database } from './database.js';
import { isDatabaseError } from './errors.js';

export interface AuthAdminOptions {
  database: Database;
  keys: ApiKeys;
  jwtSecret: string;
  minimumPasswordLength: number;
}

const base = '/auth/v1/admin/users';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A refusal on its way out. */
class Refused extends Error {
  constructor(readonly response: Response) {
    super('refused');
  }
}

const refuse = (status: number, code: string, message: string, extra?: object) =>
  new Refused(refusal(status, code, message, extra));

/** GoTrue's admin API of users, which lite lacks: for the secret key (or a service_role token) only. */
export class AuthAdmin {
  readonly #options: AuthAdminOptions;
  readonly #users: AuthUsers;
  readonly #jwtSecret: Uint8Array;

  constructor(options: AuthAdminOptions) {
    this.#options = options;
    this.#users = new AuthUsers(options.database);
    this.#jwtSecret = new TextEncoder().encode(options.jwtSecret);
  }

  async fetch(request: Request): Promise<Response> {
    try {
      await this.#authorize(request);
      return await this.#route(request);
    } catch (error) {
      if (error instanceof Refused) return error.response;
      return databaseRefusal(error);
    }
  }

  /** The bearer token decides; without one the API key speaks for itself. */
  async #authorize(request: Request): Promise<void> {
    const token = bearerOf(request.headers.get('authorization')) ?? request.headers.get('apikey') ?? '';
    if (token === '') throw refuse(401, 'no_authorization', 'This endpoint requires a valid Bearer token');
    const role = (await this.#options.keys.roleOf(token)) ?? (await this.#tokenRole(token));
    if (role !== 'service_role') throw refuse(403, 'not_admin', 'User not allowed');
  }

  async #tokenRole(token: string): Promise<unknown> {
    try {
      return (await jwtVerify(token, this.#jwtSecret, { algorithms: ['HS256'] })).payload.role;
    } catch {
      throw refuse(403, 'bad_jwt', 'invalid JWT: unable to parse or verify signature');
    }
  }

  async #route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/\/$/, '');
    if (path === base) {
      if (request.method === 'GET') return this.#list(url);
      if (request.method === 'POST') return this.#create(request);
      return new Response(null, { status: 405, headers: { allow: 'GET, POST' } });
    }
    const id = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : '';
    if (id === '' || id.includes('/')) return new Response('404 page not found\n', { status: 404 });
    if (!uuid.test(id)) throw refuse(404, 'validation_failed', 'user_id must be an UUID');
    if (request.method === 'GET') return Response.json(found(await this.#users.find(id)));
    if (request.method === 'PUT') return this.#update(id, request);
    if (request.method === 'DELETE') return this.#remove(id, request);
    return new Response(null, { status: 405, headers: { allow: 'GET, PUT, DELETE' } });
  }

  async #list(url: URL): Promise<Response> {
    const page = positive(url.searchParams.get('page'), 1, 'page');
    const perPage = positive(url.searchParams.get('per_page'), 50, 'per_page');
    const { users, total } = await this.#users.list(page, perPage);
    const last = Math.max(1, Math.ceil(total / perPage));
    const link = (to: number, rel: string) => `<${url.pathname}?page=${to}&per_page=${perPage}>; rel="${rel}"`;
    const links = [...(page < last ? [link(page + 1, 'next')] : []), link(last, 'last')];
    return Response.json(
      { users, aud: 'authenticated' },
      { headers: { 'x-total-count': String(total), link: links.join(', ') } },
    );
  }

  async #create(request: Request): Promise<Response> {
    const params = await readParams(request);
    if (!params.email && !params.phone) {
      throw refuse(400, 'validation_failed', 'Cannot create a user without either an email or phone');
    }
    if (params.password && params.password_hash) {
      throw refuse(400, 'validation_failed', 'Only a password or a password hash should be provided');
    }
    if (params.id !== undefined && !uuid.test(params.id)) {
      throw refuse(400, 'validation_failed', 'ID must conform to the uuid v4 format');
    }
    return Response.json(await this.#users.create(params, bannedUntil(params.ban_duration) ?? null));
  }

  async #update(id: string, request: Request): Promise<Response> {
    const params = await readParams(request);
    const { minimumPasswordLength: least } = this.#options;
    if (params.password !== undefined && params.password.length < least) {
      throw refuse(422, 'weak_password', `Password should be at least ${least} characters.`, {
        weak_password: { reasons: ['length'] },
      });
    }
    return Response.json(found(await this.#users.update(id, params, bannedUntil(params.ban_duration))));
  }

  async #remove(id: string, request: Request): Promise<Response> {
    const text = await request.text();
    const soft = text !== '' && (parseJson(text) as { should_soft_delete?: boolean }).should_soft_delete === true;
    const removed = soft ? await this.#users.softRemove(id) : await this.#users.remove(id);
    found(removed || undefined);
    return Response.json({});
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw refuse(404, 'user_not_found', 'User not found');
  return value;
}

async function readParams(request: Request): Promise<UserParams> {
  const body = parseJson(await request.text());
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse(400, 'bad_json', 'Could not read request body');
  }
  const params = body as UserParams;
  for (const key of ['id', 'aud', 'role', 'email', 'phone', 'password', 'password_hash', 'ban_duration'] as const) {
    if (params[key] === null) delete params[key];
    else if (params[key] !== undefined && typeof params[key] !== 'string')
      throw refuse(400, 'bad_json', `${key} must be a string`);
  }
  for (const key of ['user_metadata', 'app_metadata'] as const) {
    const value = params[key] as unknown;
    if (value === null) delete params[key];
    else if (value !== undefined && (typeof value !== 'object' || Array.isArray(value))) {
      throw refuse(400, 'bad_json', `${key} must be an object`);
    }
  }
  if (params.email) {
    params.email = params.email.toLowerCase();
    if (!isEmail(params.email))
      throw refuse(400, 'validation_failed', 'Unable to validate email address: invalid format');
  }
  if (params.password && Buffer.byteLength(params.password) > 72) {
    throw refuse(400, 'validation_failed', 'Password cannot be longer than 72 characters');
  }
  return params;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(400, 'bad_json', 'Could not parse request body as JSON');
  }
}

function positive(text: string | null, fallback: number, name: string): number {
  if (text === null || text === '') return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw refuse(400, 'validation_failed', `Bad Pagination Parameters: ${name}`);
  return value;
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration from now (`24h`, `1h30m`); `none` lifts a ban, undefined leaves it as it is. */
function bannedUntil(duration: string | undefined): string | null | undefined {
  if (duration === undefined) return undefined;
  if (duration === 'none') return null;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== duration) {
    throw refuse(400, 'validation_failed', `invalid format for ban duration: time: invalid duration "${duration}"`);
  }
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
  return new Date(Date.now() + ms).toISOString();
}

function databaseRefusal(error: unknown): Response {
  if (!isDatabaseError(error)) throw error;
  if (error.code === '23505') {
    const about = `${error.message} ${error.detail ?? ''}`;
    if (about.includes('phone')) return refusal(422, 'phone_exists', 'Phone number already registered by another user');
    if (about.includes('(id)')) return refusal(422, 'user_already_exists', 'User with this ID already exists');
    return refusal(422, 'email_exists', 'A user with this email address has already been registered');
  }
  return refusal(500, 'unexpected_failure', `Database error: ${error.message}`);
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './bearer.js';
import { chosenStatus, type DatabaseError, isDatabaseError } from './errors.js';
import { decidingType, type Preferences, readPreferences } from './preferences.js';

/** What a database transaction or the storage adapter must know of the HTTP request it works for. */
export interface RequestContext {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** The schema of Accept-Profile or Content-Profile; undefined means the first exposed one. */
  schema: string | undefined;
  /** The type of the answer, as far as an Accept header decides it. */
  accept: string | undefined;
  preferences: Preferences;
  /** Who asks REST; Auth and Storage leave the token to lite. */
  caller?: Caller;
  /** What a trigger refused with a status of its own; lite's Auth forgets it and answers 500. */
  refused?: DatabaseError;
}

/** Lite calls its connection and its storage adapter without the request, so it travels beside the call. */
export const requestContext = new AsyncLocalStorage<RequestContext>();

/** The context of one request, as PostgREST would hand it to `request.*` settings. */
export function contextOf(request: Request): RequestContext {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const headers: Record<string, string> = {};
  request.headers.forEach((value, name) => {
    headers[name] = value;
  });
  return {
    method: request.method,
    path: new URL(request.url).pathname.replace(/^\/rest\/v1/, ''),
    headers,
    accept: headers.accept === undefined ? undefined : decidingType(headers.accept),
    preferences: readPreferences(headers.prefer ?? null),
    schema: (reads ? headers['accept-profile'] : headers['content-profile']) ?? undefined,
  };
}

/** Keeps a refusal of the database that says which HTTP status it wants. */
export function rememberRefusal(error: unknown): void {
  const context = requestContext.getStore();
  if (context && isDatabaseError(error) && chosenStatus(error.code)) context.refused = error;
}

/** Cookies of the request as one object, the shape of `request.cookies`. */
export function cookiesOf(context: RequestContext): Record<string, string> {
  const cookies: Record<string, string> = {};
  for (const pair of (context.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0) cookies[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return cookies;
}

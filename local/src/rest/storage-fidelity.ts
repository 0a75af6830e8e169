/**
 * Where lite's Storage answers otherwise than the real one in ways that storage-js trips over: shapes of signed URLs
 * and copies, listings by folder, `info`, ranges, conditional and named downloads.
 */

import { withoutForm } from './storage-form.js';

const prefix = '/storage/v1';

interface ListBody {
  prefix?: string;
  limit?: number;
  offset?: number;
  sortBy?: { column?: string; order?: string };
  search?: string;
}

interface ObjectRow {
  id: string;
  name: string;
  version?: string | null;
  created_at: string;
  updated_at: string;
  last_accessed_at: string;
  metadata: Record<string, unknown> | null;
  user_metadata: Record<string, unknown> | null;
  bucket_id: string;
}

type Next = (request: Request) => Promise<Response>;

/** Passes a Storage request to lite, in lite's words, and gives the answer in Storage's. */
export async function aroundStorage(request: Request, next: Next): Promise<Response> {
  const url = new URL(request.url);
  const path = url.pathname.slice(prefix.length);
  if (request.method === 'POST' && path.startsWith('/object/list/')) return listFolder(request, next);
  if (request.method === 'POST' && /^\/object\/sign\/[^/]+$/.test(path)) return signMany(request, next);
  if (request.method === 'POST' && path === '/object/copy') return copy(request, next);
  const upload = await withoutForm(rewritten(request, path));
  const response = upload instanceof Response ? upload : await next(upload);
  if (!response.ok) return response;
  if (request.method === 'POST' && path.startsWith('/object/upload/sign/')) {
    return reshape(response, (body: { signedUrl: string; token: string }) => ({
      url: body.signedUrl.slice(prefix.length),
      token: body.token,
    }));
  }
  if (request.method === 'POST' && path.startsWith('/object/sign/')) {
    return reshape(response, (body: { signedUrl: string }) => ({ signedURL: body.signedUrl.slice(prefix.length) }));
  }
  if (request.method === 'GET' && path.startsWith('/object/info/')) return reshape(response, objectInfo);
  if (request.method === 'GET' && path.startsWith('/object/')) return download(request, url, response);
  return response;
}

function rewritten(request: Request, path: string): Request {
  const plain = path
    .replace(/^\/object\/(info\/)?authenticated\//, '/object/$1')
    .replace(/^\/object\/info\/public\//, '/object/info/');
  if (plain === path) return request;
  return new Request(request.url.replace(`${prefix}${path}`, `${prefix}${plain}`), request);
}

/** One answer per path; lite's router takes the request for the signing of an object without a name. */
async function signMany(request: Request, next: Next): Promise<Response> {
  const { paths = [], expiresIn } = (await request.json().catch(() => ({}))) as {
    paths?: string[];
    expiresIn?: number;
  };
  const answers: unknown[] = [];
  for (const path of paths) {
    const url = `${request.url}/${path.split('/').map(encodeURIComponent).join('/')}`;
    const response = await aroundStorage(again(request, url, { expiresIn }), next);
    const body = (await response.json()) as { signedURL?: string; message?: string };
    answers.push({ path, signedURL: body.signedURL ?? null, error: response.ok ? null : (body.message ?? 'Error') });
  }
  return Response.json(answers);
}

async function copy(request: Request, next: Next): Promise<Response> {
  const body = (await request.json().catch(() => ({}))) as { bucketId?: string; destinationBucket?: string };
  const response = await next(again(request, request.url, body));
  if (!response.ok) return response;
  const bucket = body.destinationBucket ?? body.bucketId;
  return reshape(response, ({ key }: { key: string }) => ({ Key: `${bucket}/${key}` }));
}

/** The same caller's request for something else. */
function again(request: Request, url: string, body: unknown): Request {
  const headers = new Headers(request.headers);
  headers.delete('content-length');
  return new Request(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

function objectInfo(row: ObjectRow): unknown {
  const metadata = row.metadata ?? {};
  return {
    id: row.id,
    name: row.name,
    version: row.version ?? null,
    size: metadata.size ?? null,
    content_type: metadata.mimetype ?? null,
    cache_control: metadata.cacheControl ?? null,
    etag: metadata.eTag ?? null,
    metadata: row.user_metadata ?? {},
    last_modified: row.updated_at,
    created_at: row.created_at,
  };
}

/** One level of a bucket: objects with names relative to the folder, and folders with nothing but a name. */
async function listFolder(request: Request, next: Next): Promise<Response> {
  const wanted = (await request.json().catch(() => ({}))) as ListBody;
  const folder = (wanted.prefix ?? '').replace(/^\/+|\/+$/g, '');
  const start = folder === '' ? '' : `${folder}/`;
  const response = await next(again(request, request.url, start === '' ? {} : { prefix: start }));
  if (!response.ok) return response;
  const rows = ((await response.json()) as ObjectRow[]).filter(({ name }) => name.startsWith(start));
  const folders = new Set<string>();
  const objects: ObjectRow[] = [];
  for (const row of rows) {
    const name = row.name.slice(start.length);
    const slash = name.indexOf('/');
    if (slash >= 0) folders.add(name.slice(0, slash));
    else if (name !== '') objects.push({ ...row, name });
  }
  const matches = (name: string) => !wanted.search || name.toLowerCase().startsWith(wanted.search.toLowerCase());
  const column = sortable.find((one) => one === wanted.sortBy?.column) ?? 'name';
  const sign = wanted.sortBy?.order?.toLowerCase() === 'desc' ? -1 : 1;
  const byText = (a: string, b: string) => (a < b ? -sign : a > b ? sign : 0);
  const entries = [
    ...[...folders].filter(matches).sort(byText).map(folderEntry),
    ...objects
      .filter(({ name }) => matches(name))
      .sort((a, b) => byText(String(a[column]), String(b[column])))
      .map(objectEntry),
  ];
  const offset = wanted.offset ?? 0;
  return Response.json(entries.slice(offset, offset + (wanted.limit ?? 100)));
}

const sortable = ['name', 'created_at', 'updated_at', 'last_accessed_at'] as const;

const folderEntry = (name: string) => ({
  name,
  id: null,
  updated_at: null,
  created_at: null,
  last_accessed_at: null,
  metadata: null,
});

const objectEntry = (row: ObjectRow) => ({
  name: row.name,
  id: row.id,
  updated_at: row.updated_at,
  created_at: row.created_at,
  last_accessed_at: row.last_accessed_at,
  metadata: row.metadata,
});

function download(request: Request, url: URL, response: Response): Response {
  const headers = new Headers(response.headers);
  const eTag = headers.get('etag');
  if (
    eTag &&
    request.headers
      .get('if-none-match')
      ?.split(',')
      .some((one) => one.trim() === eTag)
  ) {
    void response.body?.cancel();
    headers.delete('content-length');
    return new Response(null, { status: 304, headers });
  }
  const asked = url.searchParams.get('download');
  if (asked !== null) {
    const name = asked === '' ? (url.pathname.split('/').at(-1) ?? '') : encodeURIComponent(asked);
    headers.set('content-disposition', `attachment; filename=${name}; filename*=UTF-8''${name};`);
  }
  return new Response(response.body, { status: headers.has('content-range') ? 206 : response.status, headers });
}

async function reshape<T>(response: Response, change: (body: T) => unknown): Promise<Response> {
  return Response.json(change((await response.json()) as T), { status: response.status });
}

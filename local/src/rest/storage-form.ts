/**
 * storage-js sends a Blob or File as a multipart form whose file has no field name, with `cacheControl` beside it. Lite looks for a field named `file` and nothing else, so the form is turned into the plain upload that it means.
 */
export async function withoutForm(request: Request): Promise<Request | Response> {
  if (!(request.headers.get('content-type') ?? '').startsWith('multipart/form-data')) return request;
  const form = await request.formData();
  const headers = new Headers(request.headers);
  const file = [...form.values()].find((value) => value instanceof Blob);
  if (file === undefined) {
    const problem = { statusCode: '400', error: 'InvalidRequest', message: 'The form holds no file' };
    return Response.json(problem, { status: 400 });
  }
  const body = new Uint8Array(await file.arrayBuffer());
  headers.set('content-type', file.type || 'application/octet-stream');
  headers.set('content-length', String(body.byteLength));
  const cacheControl = form.get('cacheControl');
  if (typeof cacheControl === 'string') headers.set('cache-control', `max-age=${cacheControl}`);
  return new Request(request.url, { method: request.method, headers, body, signal: request.signal });
}

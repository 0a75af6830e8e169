import type { IncomingMessage, ServerResponse } from 'node:http';

const methods = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT';

const exposed = [
  'Content-Encoding',
  'Content-Location',
  'Content-Range',
  'Content-Type',
  'Date',
  'Link',
  'Location',
  'Preference-Applied',
  'Range-Unit',
  'Sb-Error-Code',
  'X-Correlation-Id',
  'X-Total-Count',
].join(', ');

/** True for the question a browser asks before the real request. */
export function isPreflight(message: IncomingMessage): boolean {
  return (
    message.method === 'OPTIONS' &&
    message.headers.origin !== undefined &&
    message.headers['access-control-request-method'] !== undefined
  );
}

/** True for what a web page has its browser ask, unless the page is one of ours. */
export function isFromPage({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || /^(cross|same)-site$/.test(String(headers['sec-fetch-site'] ?? ''));
}

export const anyOrigin = { 'access-control-allow-origin': '*' };

/** Answers a preflight as the hosted gateway does: any origin, any method, the headers asked for. */
export function answerPreflight(message: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': methods,
    'access-control-allow-headers': message.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': '3600',
    vary: 'Access-Control-Request-Headers',
    'content-length': '0',
  });
  response.end();
}

/** The headers that let a page read an answer, unless the service behind chose its own. */
export function allowOrigins(headers: Headers): void {
  if (!headers.has('access-control-allow-origin')) headers.set('access-control-allow-origin', '*');
  if (!headers.has('access-control-expose-headers')) headers.set('access-control-expose-headers', exposed);
}

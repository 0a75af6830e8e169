import type { IncomingMessage, ServerResponse } from 'node:http';

/** The body of a request grew over what its service takes. */
export class BodyTooLarge extends Error {
  constructor(readonly limit: number) {
    super(`request body is larger than ${limit} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/** Headers that belong to one connection and are never passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A Node.js request as a web Request: the body streams, and the signal fires when the client goes away. */
export function toRequest(
  message: IncomingMessage,
  response: ServerResponse,
  options: { url: URL; headers: Headers; bodyLimit: number; onTooLarge: (error: BodyTooLarge) => void },
): Request {
  const method = message.method ?? 'GET';
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort(new Error('the client closed the connection'));
  });
  const hasBody =
    method !== 'GET' && method !== 'HEAD' && (message.headers['content-length'] ?? '') !== '0' && carriesBody(message);
  const init: RequestInit & { duplex?: 'half' } = { method, headers: options.headers, signal: abort.signal };
  if (hasBody) {
    init.body = streamOf(message, options.bodyLimit, options.onTooLarge);
    init.duplex = 'half';
  }
  return new Request(options.url, init);
}

/** The end-to-end headers of a Node.js request. */
export function headersOf(message: IncomingMessage): Headers {
  const headers = new Headers();
  const dropped = new Set((message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  for (const [name, value] of Object.entries(message.headers)) {
    if (value === undefined || hopByHop.has(name) || dropped.has(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  return headers;
}

/** Writes a web Response out, no faster than the client reads; stops reading it when the client goes away. */
export async function sendResponse(answer: Response, response: ServerResponse): Promise<void> {
  response.statusCode = answer.status;
  if (answer.statusText) response.statusMessage = answer.statusText;
  answer.headers.forEach((value, name) => {
    if (!hopByHop.has(name) && name !== 'set-cookie') response.setHeader(name, value);
  });
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  // A refusal may come before the whole request has; its connection cannot carry another one.
  const early = !response.req.complete;
  if (early) response.setHeader('connection', 'close');
  if (!answer.body) {
    response.end();
    return;
  }
  const reader = answer.body.getReader();
  const stop = () => void reader.cancel().catch(() => undefined);
  response.once('close', stop);
  try {
    response.flushHeaders();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (!response.write(value)) await drained(response);
    }
    if (early && answer.status >= 400) await linger(response);
    response.end();
  } catch (error) {
    // The head is out: breaking the connection is the only way left to say that the body is not whole.
    response.destroy(error instanceof Error ? error : undefined);
  } finally {
    response.off('close', stop);
  }
}

function carriesBody(message: IncomingMessage): boolean {
  return message.headers['content-length'] !== undefined || message.headers['transfer-encoding'] !== undefined;
}

function streamOf(message: IncomingMessage, limit: number, onTooLarge: (error: BodyTooLarge) => void): ReadableStream {
  const chunks = message.iterator({ destroyOnReturn: false });
  let total = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) {
          controller.close();
          return;
        }
        const chunk = value as Buffer;
        total += chunk.byteLength;
        if (total > limit) {
          const error = new BodyTooLarge(limit);
          onTooLarge(error);
          await chunks.return?.(undefined);
          throw error;
        }
        controller.enqueue(chunk);
      },
      async cancel() {
        await chunks.return?.(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** How long the rest of a refused request is read and thrown away. */
const lingerMs = 2000;

/** Lets the client finish sending, or notice the answer: cutting the connection at once could take the answer with it. */
async function linger(response: ServerResponse): Promise<void> {
  const { req: message } = response;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, lingerMs);
    message.once('end', done);
    message.once('close', done);
    message.resume();
  });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

/// <reference lib="deno.ns" />
// The inside of one Edge Function's process. The parent writes one line with what to run, then commands; when its end
// of the pipe closes, the parent is gone and so are we. What we tell it goes to stdout behind a secret only it knows.

interface Start {
  secret: string;
  entrypoint: string;
  hide: string[];
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

interface ServeOptions {
  handler?: Handler;
  onError?: (error: unknown) => Response | Promise<Response>;
}

const serve = Deno.serve;
const exit = Deno.exit;
const encoder = new TextEncoder();
const lines = readLines();
const start: Start = JSON.parse((await lines.next()).value ?? 'null');
for (const name of start.hide) Deno.env.delete(name);

const waiting = new Set<Promise<unknown>>();
let serving = false;
let warned = false;

const EdgeRuntime = {
  waitUntil<T>(promise: Promise<T>): Promise<T> {
    if (waiting.size === 0) tell({ type: 'waiting', waiting: true });
    const tracked = Promise.resolve(promise)
      .catch((error) => console.error('EdgeRuntime.waitUntil:', error))
      .finally(() => {
        waiting.delete(tracked);
        if (waiting.size === 0) tell({ type: 'waiting', waiting: false });
      });
    waiting.add(tracked);
    return promise;
  },
};

/** `Deno.serve(handler)`, `(options, handler)` and `({ handler, … })`: where to listen is not the function's choice. */
const serveFunction = (...args: (Handler | ServeOptions)[]) => {
  const options = args.find((arg): arg is ServeOptions => typeof arg === 'object');
  const handler = args.find((arg): arg is Handler => typeof arg === 'function') ?? options?.handler;
  if (typeof handler !== 'function') throw new TypeError('Deno.serve needs a handler');
  return listen(handler, options?.onError);
};

Object.assign(globalThis, { EdgeRuntime });
Object.assign(Deno, { serve: serveFunction });

void obey();
try {
  const module = await import(start.entrypoint);
  if (!serving && typeof module.default?.fetch === 'function') listen((request) => module.default.fetch(request));
  if (!serving) throw new Error('the function neither called Deno.serve nor exported a default with fetch');
} catch (error) {
  console.error(error);
  tell({ type: 'boot_error', message: error instanceof Error ? error.message : String(error) });
  exit(1);
}

function listen(handler: Handler, onError?: ServeOptions['onError']) {
  if (serving) throw new Error('Deno.serve was called before: a function has one handler');
  serving = true;
  return serve(
    {
      hostname: '127.0.0.1',
      port: 0,
      onListen: ({ port }) => tell({ type: 'ready', port }),
      ...(onError ? { onError } : {}),
    },
    (request, info) => {
      // Only the parent has passed the gateway's checks.
      if (request.headers.get('x-stark-worker') !== start.secret) return new Response(null, { status: 403 });
      return handler(request.headers.has('upgrade') ? request : withoutSecret(request), info);
    },
  );
}

function withoutSecret(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.delete('x-stark-worker');
  return new Request(request, { headers });
}

/** `warn` tells the function that its end is near; `shutdown` ends the process once its background work is done. */
async function obey(): Promise<void> {
  for await (const line of lines) {
    const command = JSON.parse(line) as { type: 'warn' | 'shutdown'; reason: string };
    if (!warned) globalThis.dispatchEvent(new CustomEvent('beforeunload', { detail: { reason: command.reason } }));
    warned = true;
    if (command.type === 'shutdown') void leave();
  }
  exit(0);
}

async function leave(): Promise<void> {
  while (waiting.size > 0) await Promise.allSettled(waiting);
  exit(0);
}

async function* readLines(): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

function tell(message: object): void {
  Deno.stdout.writeSync(encoder.encode(`\n${start.secret} ${JSON.stringify(message)}\n`));
}

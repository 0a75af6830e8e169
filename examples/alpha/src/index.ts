import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { PackContext } from '@stark-o/core';
import { type Job, solve } from './job.js';
import { PAGE } from './page.js';
import { Queue } from './queue.js';
import { HttpError, serve } from './server.js';

interface Settings {
  /** Heading of the page. */
  title?: string;
  /** How often the clock adds a job by itself; 0 turns it off. */
  everyMs?: number;
  /** How hard a job is: each zero makes it sixteen times longer. */
  zeros?: number;
  /** How many results are kept. */
  keep?: number;
}

const MAX_TEXT = 200;
const MAX_BODY_BYTES = 4096;
// The clock waits for the worker rather than filling the storage when jobs are harder than the machine is fast.
const MAX_WAITING = 100;

/** A job queue: HTTP and a clock put jobs in, one worker takes them out, and all of it survives a restart. */
export default async function alpha(ctx: PackContext<Settings>): Promise<void> {
  const { title = 'alpha', everyMs = 2000, zeros = 4, keep = 20 } = ctx.config;
  const port = ctx.ports.http;
  if (port === undefined) throw new Error('the pod must declare a port named "http"');
  const queue = await Queue.open(ctx.storage, keep);
  let current: Job | undefined;
  let finishTimes: number[] = [];
  // Autoscalers may follow it: stark deployment autoscale --metric waiting=5.
  const tellWaiting = () => ctx.metric('waiting', queue.state.waiting.length);
  const add = async (text: string) => {
    const job = await queue.add(text);
    tellWaiting();
    return job;
  };
  const finishedWithin = (ms: number) => {
    finishTimes = finishTimes.filter((time) => Date.now() - time < ms);
    return finishTimes.length;
  };

  const stop = await serve(
    {
      'GET /': () => PAGE,
      'GET /healthz': () => ({ ok: true }),
      'GET /api/state': () => ({
        title,
        pod: ctx.pod.name,
        node: ctx.node.name,
        pack: `${ctx.pack.name}@${ctx.pack.version}`,
        starts: queue.state.starts,
        finished: queue.state.finished,
        waiting: queue.state.waiting.length,
        rate: finishedWithin(60_000),
        current: current ?? null,
        recent: queue.state.recent,
      }),
      'POST /api/jobs': async (request) => {
        if (queue.state.waiting.length >= MAX_WAITING)
          throw new HttpError(503, `${MAX_WAITING} jobs are waiting already`);
        return add(await readText(request));
      },
    },
    port,
    ctx.env.HOST ?? '127.0.0.1',
  );
  ctx.log.info(`listening on port ${port}`, { port, starts: queue.state.starts, waiting: queue.state.waiting.length });
  tellWaiting();
  ctx.ready();

  const work = async () => {
    for (;;) {
      current = await queue.next(ctx.signal);
      const result = current && (await solve(current, zeros, ctx.signal));
      if (!result) return;
      await queue.finish(result);
      tellWaiting();
      finishTimes.push(Date.now());
      ctx.log.info(`job ${result.id} done in ${result.tookMs} ms`, { job: result.id, nonce: result.nonce });
    }
  };
  const clock = async () => {
    while (everyMs > 0 && !ctx.signal.aborted) {
      if (queue.state.waiting.length < MAX_WAITING) await add(`tick ${new Date().toISOString()}`);
      await wait(everyMs, undefined, { signal: ctx.signal }).catch(() => {});
    }
  };

  try {
    await Promise.all([work(), clock()]);
    ctx.log.info('stopping', { waiting: queue.state.waiting.length });
  } finally {
    await stop();
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new HttpError(413, 'the body is too large');
  }
  try {
    const { text } = JSON.parse(body) as { text?: unknown };
    if (typeof text === 'string' && text.trim() !== '' && text.length <= MAX_TEXT) return text.trim();
  } catch {
    // Said below: a body that is no JSON is as wrong as one without a text.
  }
  throw new HttpError(400, `send {"text": "…"} with 1 to ${MAX_TEXT} characters`);
}

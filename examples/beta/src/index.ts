import { createServer } from 'node:http';
import type { PackContext } from '@stark-o/core';
import { latency, Monitor } from './monitor.js';
import { PAGE } from './page.js';
import { readTargets, type Settings } from './settings.js';

/** A monitor: fetches what `config.targets` names, and shows on its page what is up and how fast it answers. */
export default async function beta(ctx: PackContext<Settings>): Promise<void> {
  const { title = 'beta', everyMs = 2000, timeoutMs = 1500, history = 60 } = ctx.config;
  const port = ctx.ports.http;
  if (port === undefined) throw new Error('the pod must declare a port named "http"');
  const targets = readTargets(ctx.config, `http://127.0.0.1:${port}/healthz`);
  const monitor = new Monitor(targets, { everyMs, timeoutMs, history }, ctx.fetch, ctx.log);

  const state = () => ({
    title,
    pod: ctx.pod.name,
    node: ctx.node.name,
    pack: `${ctx.pack.name}@${ctx.pack.version}`,
    history,
    targets: monitor.states.map((target) => ({
      ...target,
      up: target.up ?? null,
      latency: latency(target.history) ?? null,
    })),
  });
  const pages: Record<string, () => { type: string; body: string }> = {
    '/': () => ({ type: 'text/html; charset=utf-8', body: PAGE }),
    '/healthz': () => ({ type: 'application/json', body: '{"ok":true}' }),
    '/api/targets': () => ({ type: 'application/json', body: JSON.stringify(state()) }),
  };

  const server = createServer((request, response) => {
    const page = pages[(request.url ?? '/').split('?')[0] ?? '/'];
    const found = page?.() ?? { type: 'application/json', body: '{"error":"there is nothing here"}' };
    response.writeHead(page ? 200 : 404, { 'content-type': found.type, 'cache-control': 'no-store' });
    response.end(found.body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ctx.env.HOST ?? '127.0.0.1', resolve);
  });
  ctx.log.info(`listening on port ${port}, watching ${targets.map(({ name }) => name).join(', ')}`, { port, everyMs });
  ctx.ready();

  try {
    await monitor.run(ctx.signal);
    ctx.log.info('stopping');
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

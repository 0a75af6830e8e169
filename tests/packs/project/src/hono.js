import { Hono } from 'hono';

export default async (ctx) => {
  const app = new Hono();
  app.get('/:name', (context) => context.json({ hello: context.req.param('name') }));
  ctx.log.info(await (await app.request('/hono')).text());
};

import Koa from 'koa';
import { get, served } from './served.js';

export default async (ctx) => {
  const app = new Koa();
  app.use((context) => {
    context.body = `koa ${context.path}`;
  });
  ctx.log.info(await get(`${await served(app.listen(0))}page`));
};

import { join } from 'node:path';
import express from 'express';
import session from 'express-session';
import { get, served } from './served.js';

/** Express renders a view by an engine that it asks for by name, and serves files. */
export default async (ctx) => {
  const app = express();
  app.set('view engine', 'ejs');
  app.set('views', join(import.meta.dirname, 'views'));
  app.use('/files', express.static(join(import.meta.dirname, 'public')));
  app.use(session({ secret: 'x', resave: false, saveUninitialized: true }));
  app.get('/', (request, response) => response.render('page', { title: request.session.cookie.path }));
  const url = await served(app.listen(0));
  ctx.log.info(`${await get(url)} ${await get(`${url}files/a.txt`)}`);
};
